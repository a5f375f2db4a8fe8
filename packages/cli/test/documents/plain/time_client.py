"""Prints the time that one recv brings."""
import socket
import sys

client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect((sys.argv[1], int(sys.argv[2])))
now = client.recv(1024)
client.close()
print('The time from the server is %s' % now.decode('ascii'), end='')
