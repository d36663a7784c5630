"""ClusterShell's own `nodeset` command, asked many times by one process.

    python3 nodeset-answers.py GROUPS.conf

One JSON array of arguments a line comes in; for each, one JSON object goes out: what the
command printed and its exit status. It is the command's own main function that runs.
"""

import contextlib
import io
import json
import sys

from ClusterShell.CLI import Nodeset

GROUPS_CONF = sys.argv[1]


def answer(args):
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["nodeset", "--groupsconf", GROUPS_CONF, *args]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            Nodeset.main()
            status = 0
        except SystemExit as end:
            status = end.code or 0
    return {"status": status, "out": out.getvalue().rstrip("\n"), "err": err.getvalue()}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
