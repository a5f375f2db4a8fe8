"""Sends each line of its input without a line end, and prints what one recv brings; an empty line ends it."""
import socket
import sys

client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect((sys.argv[1], int(sys.argv[2])))
while True:
    data = sys.stdin.readline().rstrip('\n')
    if not data:
        break
    client.send(data.encode())
    data = client.recv(1024)
    if not data:
        break
    print(data.decode(), flush=True)
client.close()
