"""Echoes what each recv brings, to one client, then ends."""
import socket
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.bind(('127.0.0.1', int(sys.argv[1])))
server.listen(1)
print('ready', server.getsockname()[1], flush=True)
client, address = server.accept()
print('Connected by', address, flush=True)
while True:
    data = client.recv(1024)
    if not data:
        break
    client.send(data)
client.close()
