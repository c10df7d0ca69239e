"""senti-serve under slowhttptest: hundreds of clients that drip their headers, their bodies, or read their answers a few bytes at a time. All of
them are cut in time, others are served meanwhile, and no descriptor is left open."""
# needs: slowhttptest
# seconds: 15
import json
import re
import subprocess

from serve_raw import Server, new_path, wait
from tap import check, run

PAGE = "/v1/messages?limit=1000"
server = Server("--header-timeout", "2", "--body-timeout", "2", "--idle-timeout", "2")
# A page that is long to read; what the store holds open for it is counted as being there before.
server.post("/v1/messages", json.dumps([{"id": str(i), "text": "a text that is long enough to fill a page of many"} for i in range(9000)]))
before = server.descriptors()


def slow(*args):
    """400 connections, 200 of them a second, while one more client looks whether it is served: what slowhttptest says."""
    done = subprocess.run(["slowhttptest", "-c", "400", "-r", "200", "-p", "3", *args], capture_output=True, text=True, timeout=120)
    return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)


def cut(*args):
    """All were cut well before slowhttptest itself would end, others were served, and nothing is left of them."""
    said = slow("-l", "40", "-i", "1", *args)
    assert re.search("Exit status:.*No open connections left", said), said
    assert not re.search("service available:.*NO", said), said
    server.settled(before)
    server.alive()


@check
def headers():
    "dripped headers are cut"
    cut("-H", "-u", f"http://{server.address}/livez")


@check
def bodies():
    "dripped bodies are cut"
    cut("-B", "-s", "100000", "-t", "POST", "-f", "application/json", "-u", f"http://{server.address}/v1/sentiment")


@check
def answers():
    "a client that reads a few bytes at a time is cut while it still reads"
    assert len(server.ask("GET", PAGE)[2]) > 100000
    # What has been written for such a reader waits in the kernel, which tells the reader of the end only after it: so the server's own descriptors count.
    with open(new_path("slowly"), "w+") as said:
        reader = subprocess.Popen(["slowhttptest", "-c", "400", "-r", "200", "-l", "15", "-p", "3", "-X", "-w", "1", "-y", "10", "-n", "1", "-z", "5",
                                   "-k", "3", "-u", f"http://{server.address}{PAGE}"], stdout=said, stderr=said)
        wait(lambda: server.descriptors() > before + 100, "hundreds of clients are connected")
        server.settled(before)
        assert reader.poll() is None, "the readers have gone by themselves"
        reader.wait(60)
        said.seek(0)
        assert not re.search("service available:.*NO", said.read())
    server.alive()


@check
def end():
    "the server ends with status 0"
    server.stop()


run()
