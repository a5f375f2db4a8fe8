"""Sends each line of its input as a datagram from a name of its own, and prints the one that comes back."""
import os
import socket
import sys

client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
client.bind(sys.argv[2])
for line in sys.stdin:
    client.sendto(line.rstrip('\n').encode(), sys.argv[1])
    data, address = client.recvfrom(1024)
    print('Received', repr(data.decode()), flush=True)
client.close()
os.unlink(sys.argv[2])
