"""Holds a port as systemd does for a socket unit: `python3 socket-holder.py COMMAND [ARGUMENT ...]`.

Listens on a free port of 127.0.0.1, or at the path in HOLD_PATH, says so as an agent's log does, and starts the command with the first connection; when
it has ended, again with the next. The command gets the socket as in sd_listen_fds(3). SIGUSR2 is `systemctl restart`,
SIGTERM the end of both.
"""
import ctypes
import json
import os
import select
import signal
import socket
import sys

PR_SET_PDEATHSIG = 1
child = 0
is_restart = False


def start(listener):
    pid = os.fork()
    if pid != 0:
        print(json.dumps({"msg": "started", "pid": pid}), flush=True)
        return pid
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.dup2(listener.fileno(), 3)
    os.set_inheritable(3, True)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="kick-agent.socket")
    os.execvp(sys.argv[1], sys.argv[1:])


def restart(_signal, _frame):
    global is_restart
    is_restart = True
    if child != 0:
        os.kill(child, signal.SIGTERM)


def end(_signal, _frame):
    if child != 0:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
    sys.exit(0)


path = os.environ.pop("HOLD_PATH", None)
listener = socket.socket() if path is None else socket.socket(socket.AF_UNIX)
listener.bind(("127.0.0.1", 0) if path is None else path)
listener.listen(4096)
signal.signal(signal.SIGUSR2, restart)
signal.signal(signal.SIGTERM, end)
print(json.dumps({"msg": "holding", "port": listener.getsockname()[1] if path is None else 0}), flush=True)
while True:
    if child != 0:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid == 0:
            select.select([], [], [], 0.01)
            continue
        print(json.dumps({"msg": "ended", "status": os.waitstatus_to_exitcode(status)}), flush=True)
        child = 0
    if is_restart or select.select([listener], [], [], 0.05)[0]:
        is_restart = False
        child = start(listener)
