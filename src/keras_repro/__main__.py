"""The command ``keras-repro``, and ``python -m keras_repro``."""

from keras_repro import interrupts


def main() -> None:
    """Run the command line, which is imported once an interrupt ends it in one line."""
    interrupts.end_at_once()
    from keras_repro.cli import main as run  # noqa: PLC0415

    run()


if __name__ == "__main__":
    main()
