"""Connects, over IPv4 or IPv6, and prints what one recv brings, after its own address."""
import socket
import sys

client = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET, socket.SOCK_STREAM)
client.connect((sys.argv[1], int(sys.argv[2])))
own = client.getsockname()
data = client.recv(10000)
client.close()
print('I am %s: %s' % (own[0], own[1]))
print(data.decode(), end='')
