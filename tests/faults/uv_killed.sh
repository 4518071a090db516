#!/bin/sh
# Stands for uv. At its call number FAULTS_UV_CALL, it or the harness is killed a while after.
echo >> "$FAULTS_UV_SIDE.calls"
if [ "$(wc -l < "$FAULTS_UV_SIDE.calls")" -eq "$FAULTS_UV_CALL" ]; then
  case $FAULTS_UV_WHO in
    uv) who=$$ ;;
    harness) who=$PPID ;;
    *) who="$PPID $$" ;;
  esac
  # shellcheck disable=SC2086 # two numbers
  { sleep "$FAULTS_UV_AFTER"; kill -9 $who && echo fired > "$FAULTS_UV_SIDE"; } \
    < /dev/null > /dev/null 2>&1 &
fi
exec "$FAULTS_UV" "$@"
