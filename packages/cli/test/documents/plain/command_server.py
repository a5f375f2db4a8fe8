"""Gives whatever one recv brings to the shell, for one client at a time, until it says BYE."""
import os
import socket
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.bind(('127.0.0.1', int(sys.argv[1])))
server.listen(5)
print('ready', server.getsockname()[1], flush=True)
while True:
    client, address = server.accept()
    while True:
        command = client.recv(4096).decode()
        if not command:
            continue
        if command.strip() == 'BYE':
            break
        output = os.popen(command).read()
        client.send(output.encode() if output else b'good')
    client.close()
