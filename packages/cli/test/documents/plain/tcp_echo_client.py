"""Sends each line of its input without a line end, and takes one recv for the answer."""
import socket
import sys

client = socket.create_connection((sys.argv[1], int(sys.argv[2])))
for line in sys.stdin:
    message = line.rstrip('\n')
    if not message:
        break
    client.send(message.encode())
    data = client.recv(1024)
    print('Received', repr(data.decode()), flush=True)
client.close()
