"""Filters over the partitions of Spark: one process of a filter for each task, records of JSON as lines in and lines out.

    from senti_spark import arrow, each_batch, lines

    sc.textFile(path).mapPartitions(lines(["senti-score"]))                               an RDD
    df.mapInArrow(arrow(["senti-score"]), "value string")                                 a DataFrame, or a stream of Structured Streaming
    stream.writeStream.foreachBatch(each_batch(["sh", "-c", "senti-score | senti-store put"]))

or as a program, from text files to text files:

    spark-submit senti_spark.py INPUT OUTPUT senti-score -m plus

Elsewhere give this file to the workers (--py-files); the tools are in their PATH. RDD.pipe will not do: it waits for ever if what feeds it fails, takes a
filter that ends too early for one that has done all, and does not look at its status. Here a task fails

    - if what comes before it fails: its filter is killed at once, so that none takes a part of a partition for the whole;
    - if the filter fails, or if the lines that came out and the rejects are not as many as the records that went in;
    - if there are rejects, unless `rejects` is true: then they come out as well, the second of each pair (line, reject), or in a second column;
    - if the filter stores and a record has no id. Spark repeats tasks, when they fail or are slow, and would store such a record each time.

Options of all:

    env      what is added to the environment of the executor, such as SENTI_STORE; that of the driver does not reach it
    ids      whether each record must have an id; by default if a word of the command holds "senti-store"
    rejects  whether rejects are results; else the first fails the task. Its message has the reason and the id, but no text.

Blank rows are not records, and a line end within one is a blank. Let rejects be reported by $SENTI_REJECT, which is set here: give no --reject.
"""
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading

ROWS = 1000  # that go to a filter at once
_decode = json.JSONDecoder(parse_int=str, parse_float=str).decode


class FilterError(RuntimeError):
    """A filter failed, or would have done what cannot be repeated."""


def lines(argv, env=None, ids=None, rejects=False):
    """For RDD.mapPartitions: strings to strings, or to pairs (line, reject) of which one is None."""
    needs_ids = _needs_ids(argv, ids)

    def run(rows):
        rows = iter(rows)
        chunks = iter(lambda: list(itertools.islice(rows, ROWS)), [])
        work = _Filter(argv, env, rejects, (_joined(chunk, needs_ids) for chunk in chunks))
        for data in work.output(1 << 16):
            for line in data.decode().split("\n"):
                yield (line, None) if rejects else line
        for line in work.rejects():
            yield None, line

    return run


def arrow(argv, env=None, ids=None, rejects=False, column="value"):
    """For DataFrame.mapInArrow: that column to the column "value", and with `rejects` a second one, "reject". Works on Spark Connect, too."""
    needs_ids = _needs_ids(argv, ids)

    def run(batches):
        import pyarrow
        from pyarrow import compute

        def joined(values):
            if needs_ids or values.null_count:
                return _joined(values.to_pylist(), needs_ids)
            whole = pyarrow.ListArray.from_arrays(pyarrow.array([0, len(values)], pyarrow.int32()), values)
            data = compute.binary_join(whole, "\n")[0].as_py().encode()
            blank = compute.any(compute.or_(compute.equal(values, ""), compute.utf8_is_space(values))).as_py()
            if blank or data.count(b"\n") >= len(values):
                return _joined(values.to_pylist(), needs_ids)
            return data, len(values)

        def split(data):
            return compute.split_pattern(pyarrow.array([data], pyarrow.binary()).cast(pyarrow.string()), "\n").flatten()

        def batch(chunk, position):
            columns = [chunk, pyarrow.nulls(len(chunk), pyarrow.string())]
            if position:
                columns.reverse()
            return pyarrow.RecordBatch.from_arrays(columns if rejects else columns[:1], ["value", "reject"] if rejects else ["value"])

        work = _Filter(argv, env, rejects, (joined(b.column(b.schema.get_field_index(column)).cast(pyarrow.string())) for b in batches))
        for data in work.output(1 << 20):
            yield batch(split(data), 0)
        for line in work.rejects():
            yield batch(pyarrow.array([line], pyarrow.string()), 1)

    return run


def each_batch(argv, column="value", **options):
    """For DataStreamWriter.foreachBatch: runs a filter for its effect, such as senti-store put. A batch is done when all of it is; one that is repeated
    after a fault has the same ids, and changes nothing that is there."""
    def run(df, _):
        df.select(column).mapInArrow(arrow(argv, column=column, **options), "value string").write.format("noop").mode("overwrite").save()

    return run


class _Filter:
    """One filter at work on one partition: first all of output(), then rejects(). `chunks` are pairs: lines, but for the last line end, and how many."""

    def __init__(self, argv, env, rejects, chunks):
        self.argv, self.allowed, self.chunks = argv, rejects, chunks
        self.fed = self.out = 0
        self.fault = None
        self.stopping = False
        # Without a name, so it goes with the process; the tools open it by its descriptor, and append whole lines.
        self.rejected = tempfile.TemporaryFile()
        path = f"/dev/fd/{self.rejected.fileno()}"
        self.child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[self.rejected.fileno()], start_new_session=True,
                                      env={**os.environ, **(env or {}), "SENTI_REJECT": path})
        self.feeder = threading.Thread(target=self._feed, daemon=True)
        self.feeder.start()

    def output(self, size):
        """Whole lines but for the last line end, at least `size` bytes at a time, until the filter has ended; then it has done all, or this raises."""
        rest = b""
        try:
            while data := self.child.stdout.read(size):
                end = data.rfind(b"\n") + 1
                if not end:
                    rest += data
                    continue
                whole = rest + data[:end - 1]
                rest = data[end:]
                self.out += whole.count(b"\n") + 1
                yield whole
            self.feeder.join()
            self._check(self.child.wait(), rest)
        finally:
            self._stop()

    def rejects(self):
        self.rejected.seek(0)
        for line in self.rejected:
            yield line.decode().rstrip("\n")
        self.rejected.close()

    def _feed(self):
        try:
            for whole, count in self.chunks:
                if self.stopping:
                    break
                if count:
                    self.child.stdin.write(whole)
                    self.child.stdin.write(b"\n")
                    self.fed += count
            self.child.stdin.close()
        except BrokenPipeError:
            pass  # the filter's status tells why
        except BaseException as fault:
            self.fault = fault
            self._kill()  # at the end of its input it would do a part of the partition as if it were the whole

    def _check(self, status, rest):
        if self.fault:
            raise self.fault
        self.rejected.seek(0)
        first = next(self.rejected, None)
        count = sum(1 for _ in self.rejected) + 1 if first else 0
        name = " ".join(self.argv)
        if first and not self.allowed:
            raise FilterError(f"{name}: {count} rejects, the first: {_reason(first)}")
        if status not in ((0, 1) if first else (0,)):
            raise FilterError(f"{name}: status {status}")
        if rest or self.out + count != self.fed:
            raise FilterError(f"{name}: {self.fed} records in, {self.out} out, {count} rejected")

    def _kill(self):
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def _stop(self):
        """Also when the task is cancelled, or has what it wanted. Nobody may read what comes to the task when it has ended, so the feeder ends first."""
        self.stopping = True
        if self.child.returncode is None:
            self._kill()
        self.child.stdout.close()
        self.feeder.join()
        try:
            self.child.stdin.close()
        except BrokenPipeError:
            pass
        self.child.wait()


def _needs_ids(argv, ids):
    return any("senti-store" in word for word in argv) if ids is None else ids


def _joined(rows, needs_ids):
    """What the feeder takes, of strings."""
    if None in rows:
        raise FilterError("a row is null")
    data = "\n".join(rows)
    if data.count("\n") >= len(rows) or not all(map(str.strip, rows)):
        rows = [row.replace("\n", " ") for row in rows if row and not row.isspace()]
        data = "\n".join(rows)
    if needs_ids:
        _check_ids(rows)
    return data.encode(), len(rows)


def _check_ids(rows):
    for row in rows:
        try:
            record = _decode(row)
        except (ValueError, RecursionError):
            continue  # the filter rejects it and says why
        if isinstance(record, dict) and not (isinstance(record.get("id"), str) and record["id"]):
            raise FilterError("a record has no id: stored, it would be another one each time that Spark repeats the task")


def _reason(reject):
    try:
        reject = json.loads(reject)
        where = _decode(reject["input"]).get("id") if "input" in reject else None
    except (ValueError, AttributeError):
        where = None
    error = reject.get("error") if isinstance(reject, dict) else None
    return f"{error}" + (f", id {where}" if where else "")


def main():
    from pyspark.sql import SparkSession

    if len(sys.argv) < 4:
        sys.exit("usage: spark-submit senti_spark.py INPUT OUTPUT COMMAND...")
    source, target, *argv = sys.argv[1:]
    spark = SparkSession.builder.appName("senti").getOrCreate()
    spark.sparkContext.addPyFile(__file__)
    spark.read.text(source).mapInArrow(arrow(argv), "value string").write.text(target)
    spark.stop()


if __name__ == "__main__":
    import senti_spark  # under its name the executors find it, too

    senti_spark.main()
