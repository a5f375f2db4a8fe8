"""Connects to a Unix socket and prints what one recv brings."""
import socket
import sys

client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
client.connect(sys.argv[1])
data = client.recv(10000)
client.close()
print('Received from server:', data.decode())
