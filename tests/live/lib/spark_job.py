"""A driver of Spark for tests/system/spark.py: spark_job.py JOB ARGUMENT...   It says what it found as one line of JSON, the last on stdout."""
import glob
import json
import os
import sys
import time

from pyspark.sql import SparkSession

from senti_spark import arrow, each_batch, lines

STORE = ["sh", "-c", "senti-score | senti-store put"]
# The executors have the environment of the workers, not that of the driver.
ENV = {"SENTI_STORE": os.environ["SENTI_STORE"]}


def session():
    """TRIES says how often a task is tried."""
    return SparkSession.builder.appName("senti").config("spark.task.maxFailures", os.environ.get("TRIES", "4")).getOrCreate()


def text_of(error):
    return str(error)[:3000]


def ways(source, folder):
    """The same by an RDD and through Arrow, and beside each what Spark takes that only hands lines through, those of the source and those that come out:
    the seconds of each round."""
    spark = session()
    sc = spark.sparkContext
    ours, plain = lines(["senti-score"]), lambda rows: rows
    jobs = {
        "rdd": lambda path: sc.textFile(source, 4).mapPartitions(ours).saveAsTextFile(path),
        "rdd-in": lambda path: sc.textFile(source, 4).mapPartitions(plain).saveAsTextFile(path),
        "rdd-out": lambda path: sc.textFile(f"{folder}/rdd.0", 4).mapPartitions(plain).saveAsTextFile(path),
        "arrow": lambda path: spark.read.text(source).mapInArrow(arrow(["senti-score"]), "value string").write.text(path),
        "arrow-in": lambda path: spark.read.text(source).mapInArrow(plain, "value string").write.text(path),
        "arrow-out": lambda path: spark.read.text(f"{folder}/arrow.0").mapInArrow(plain, "value string").write.text(path),
    }
    seconds = {}
    for n in range(int(os.environ.get("ROUNDS", "1"))):
        for name, job in jobs.items():
            began = time.monotonic()
            job(f"{folder}/{name}.{n}")
            seconds.setdefault(name, []).append(round(time.monotonic() - began, 3))
    return seconds


def faults(source, folder):
    """What must fail, with what it says and how long it takes; and what must not."""
    spark = session()
    sc = spark.sparkContext
    found = {}

    def tried(name, job):
        began = time.monotonic()
        try:
            found[name] = {"result": job()}
        except Exception as error:
            found[name] = {"error": text_of(error)}
        found[name]["seconds"] = time.monotonic() - began

    def broken(rows):
        for n, row in enumerate(rows):
            if n == 1500:
                raise ValueError("the source broke")
            yield row

    rows = sc.textFile(source, 2)
    df = spark.read.text(source)
    tried("warm", lambda: rows.mapPartitions(lines(["senti-score"])).count())
    tried("upstream", lambda: rows.mapPartitions(broken).mapPartitions(lines(["senti-score"])).count())
    # This one would wait for more for ever.
    tried("upstream-asleep", lambda: rows.mapPartitions(broken).mapPartitions(lines(["sh", "-c", "cat; exec sleep 1000"])).count())
    tried("take", lambda: len(rows.mapPartitions(lines(["senti-score"])).take(5)))
    tried("after-take", lambda: rows.mapPartitions(lines(["senti-score"])).count())
    tried("status", lambda: rows.mapPartitions(lines(["sh", "-c", "cat; exit 3"])).count())
    tried("swallowed", lambda: rows.mapPartitions(lines(["grep", "-v", "7"])).count())
    tried("too-early", lambda: df.mapInArrow(arrow(["head", "-n", "3"]), "value string").count())
    tried("missing", lambda: rows.mapPartitions(lines(["no-such-tool"])).count())
    tried("null", lambda: spark.sql("select cast(null as string) value").mapInArrow(arrow(["senti-score"]), "value string").count())
    mixed = sc.parallelize(['{"id":"a","text":"I love it"}', " ", "no json", '{"id":"b",\n"text":"I hate it"}', '{"id":"c","text":5}', ""], 2)
    tried("reject", lambda: mixed.mapPartitions(lines(["senti-score"])).count())
    tried("rejects", lambda: sorted(mixed.mapPartitions(lines(["senti-score"], rejects=True)).collect(), key=str))
    schema = "value string, reject string"
    tried("rejects-arrow", lambda: sorted(map(list, mixed.map(lambda row: (row,)).toDF(["other"]).mapInArrow(
        arrow(["senti-score"], column="other", rejects=True), schema).collect()), key=str))
    nameless = sc.parallelize(['{"id":"a","text":"x"}'] * 2000 + ['{"text":"I love it"}'], 1)
    env = {"SENTI_STORE": f"sqlite:{folder}/refused.db"}
    tried("nameless", lambda: nameless.mapPartitions(lines(["senti-store", "put"], env)).count())
    tried("nameless-pipeline", lambda: nameless.map(lambda row: (row,)).toDF(["value"]).mapInArrow(arrow(STORE, env), "value string").count())
    return found


def store(source, rate):
    """Scores and stores. Each task runs at most so fast, to be killed in the middle; `rate` is 0 for as fast as it can."""
    spark = session()
    slowly = f"senti-ingest -F json --rate {rate}/s | " if rate != "0" else ""
    began = time.monotonic()
    count = spark.sparkContext.textFile(source, 8).mapPartitions(lines(["sh", "-c", slowly + STORE[2]], ENV)).count()
    return {"count": count, "seconds": time.monotonic() - began}


def stream(source, folder):
    """All files that are there, one a batch: scored into text files, and stored by a second query."""
    spark = session()

    def files():
        return spark.readStream.format("text").option("maxFilesPerTrigger", 1).load(source)

    scored = files().mapInArrow(arrow(["senti-score"]), "value string").writeStream.format("text").option("path", f"{folder}/out")
    stored = files().writeStream.foreachBatch(each_batch(STORE, env=ENV))
    queries = [writer.option("checkpointLocation", f"{folder}/{name}").trigger(availableNow=True).start()
               for name, writer in (("scored", scored), ("stored", stored))]
    for query in queries:
        query.awaitTermination()
    return {"batches": [len(glob.glob(f"{folder}/{name}/commits/[0-9]*")) for name in ("scored", "stored")]}


print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])), flush=True)
