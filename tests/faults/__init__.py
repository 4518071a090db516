"""`make faults`: every command that writes, under every fault; two at once; hostile folders."""
