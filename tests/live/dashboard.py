"""The dashboard at / in a real browser: all that it shows and does, how fast, for whom: keyboard, dark, 360 pixels, axe-core's rules. Screenshots stay in
build/tests/live/dashboard. For a campaign of ten minutes: SENTI_FEED_SECONDS=600 tests/live/run tests/live/dashboard.py feed_under_load"""
# needs: chromium
# packages: playwright
# npm: axe-core uplot
# seconds: 80
import csv
import io
import json
import os
import re
import subprocess
import threading
import time

from dashboard_page import SHOTS, Page, close_browser, dashboard, expect, sample, submit
from serve_raw import Server, new_path, wait
from tap import check, run

PAGE_BYTES = 150 * 1024
# Times are limited where SENTI_TIMES is set, which is for a machine that does nothing else; everywhere they are told.
TIMES = "SENTI_TIMES" in os.environ
DATA_MS = 300
TASK_MS = 50
FEED_SECONDS = float(os.environ.get("SENTI_FEED_SECONDS", 8))
RATE = 200
shared = []


def filled():
    """A server with some messages, which checks that only read share."""
    if not shared:
        shared.append(Server("--access-log"))
        submit(shared[0], sample(2000))
    return shared[0]


def stats(server, query):
    status, _, body = server.ask("GET", "/v1/stats?" + query)
    assert status == 200, body
    return json.loads(body)["items"]


def new_token(scopes):
    """Its line for the file, and itself."""
    made = subprocess.run(["senti-serve", "--new-token", "x:" + scopes], capture_output=True, text=True, check=True, timeout=60)
    return made.stdout, made.stderr.split()[-1]


@check
def weight_and_first_paint():
    """the page weighs less than 150 KiB; how soon it shows its data"""
    s = filled()
    _, _, html = s.ask("GET", "/")
    weight = sum(int(s.ask("GET", path, headers={"Accept-Encoding": "gzip"})[1]["content-length"])
                 for path in ["/"] + ["/" + a for a in re.findall(r'"(assets/[^"]*\.(?:js|css))"', html.decode())])
    assert weight < PAGE_BYTES, weight
    firsts = []
    while len(firsts) < (5 if TIMES else 1) and min(firsts, default=DATA_MS) >= DATA_MS:
        with dashboard(s, "docs") as d:
            d.trace()
            d.open()
            first, whole = (wait(lambda: d.page.evaluate(f"performance.getEntriesByName('{mark}')[0]?.startTime"), f"{mark} is painted")
                            for mark in ("senti-data", "senti-all"))
            work = sum(d.tasks())
            firsts.append(first)
            assert first < whole and work > 10, (first, whole, work)
            expect(d.find("#plot-share canvas")).to_be_visible()
            expect(d.find("#total")).to_have_text("2,000")
            # Each was asked for once: what the first script asked for is not asked for again.
            asked = d.paths(r"/v1/(stats|terms|messages)(?!\?by=source)")
            assert len(asked) == len(set(asked)) == 5, asked
    assert min(firsts) < DATA_MS or not TIMES, firsts
    return f"{weight / 1024:.0f} KiB, {work:.0f} ms of work, first figures after {first:.0f} ms, all after {whole:.0f} ms"


@check
def elsewhere_at_once():
    """who goes elsewhere before the first figures are there is taken there, and the figures that come then change nothing"""
    s = filled()
    with dashboard(s, "docs") as d:
        held = []
        d.context.route("**/v1/stats?by=label", lambda r: held.append(r) if not held else r.continue_())
        d.open()
        wait(lambda: held or d.page.evaluate("0"), "the figures are asked for")
        d.page.evaluate("location.hash = 'view=messages'")
        d.listed(25)
        d.find("#f-q").fill("zzz")
        expect(d.find("#messages-list-state")).to_contain_text("No message")
        held[0].continue_()
        d.page.evaluate("early.shown.then(() => 0)")
        assert not d.find("#overview").is_visible()
        d.page.evaluate("location.hash = ''")
        d.drawn()
        expect(d.find("#total")).to_have_text("2,000")


@check
def figures():
    """count, mean with its band and label shares, and over time, in the chart's table: those of the API"""
    s = filled()
    with dashboard(s, "#step=day") as d:
        d.drawn()
        groups = {g["key"]: g for g in stats(s, "by=label")}
        n = sum(g["count"] for g in groups.values())
        mean = sum(g["mean"] * g["count"] for g in groups.values()) / n
        expect(d.find("#total")).to_have_text(f"{n:,}")
        expect(d.find("#mean")).to_have_text(f"{mean:+.2f}".replace("-", "−"))
        assert re.fullmatch(r"± 0\.0\d\d \(95%\)", d.find("#mean-band").inner_text()), d.find("#mean-band").inner_text()
        for label, g in groups.items():
            expect(d.find(f"#shares .{label} strong")).to_have_text(f"{round(100 * g['count'] / n)}%")
        d.find("#over-time-table summary").click()
        row = d.find("#over-time-table tbody tr").first.locator("th, td").all_inner_texts()
        day = stats(s, "by=day&tz=Europe/Berlin")[-1]
        half = 1.96 * day["stdev"] / (day["count"] - 1) ** 0.5
        want = [day["count"], *(f"{x:+.2f}".replace("-", "−") for x in (day["mean"], day["mean"] - half, day["mean"] + half)),
                *(day[label] for label in ("positive", "neutral", "negative"))]
        assert row[1:] == [str(w) for w in want], (row, want)
        expect(d.find("#over-time-table tbody tr")).to_have_count(50)
        d.shot("overview")


@check
def filters():
    """by source, label, time, score and text; all of it stands in the address, for reloading, Back and sharing"""
    s = filled()
    with dashboard(s, "#view=messages&limit=100") as d:
        d.listed(100)
        d.find("#f-source").select_option("app")
        d.find("#f-label").select_option("negative")
        d.find("#f-q").fill("WORST")
        d.all_texts("worst")
        assert d.state() == {"view": "messages", "limit": "100", "source": "app", "label": "negative", "q": "WORST"}, d.state()
        total = int(d.find("#where").inner_text().split(" of ")[1])
        assert total == sum(g["count"] for g in stats(s, "by=label&source=app&label=negative&q=worst")), total
        d.page.reload()
        d.all_texts("worst")
        d.page.go_back()
        expect(d.find("#f-label")).to_have_value("")
        d.button("Reset").click()
        d.listed(100)
        d.page.get_by_label("Lowest score").fill("0.2")
        d.page.get_by_label("Highest score").fill("0.5")
        wait(lambda: (scores := d.scores()) and all(0.2 <= x <= 0.5 for x in scores), "scores are filtered by")
        d.button("Reset").click()
        d.find("#f-range").select_option("custom")
        d.page.get_by_label("From", exact=True).fill("2026-01-10T01:00")
        d.page.get_by_label("To", exact=True).fill("2026-01-10T03:00")
        d.listed(2)
        assert d.state()["since"] == "2026-01-10T00:00:00.000Z", d.state()


@check
def table():
    """the table is sorted by time and score over all messages, and turned page by page, forth and back"""
    s = filled()
    with dashboard(s, "#view=messages") as d:
        d.listed(25)
        expect(d.find("#where")).to_have_text("1–25 of 2,000")
        first = d.texts()
        expect(d.find("th.c-time")).to_have_attribute("aria-sort", "descending")
        d.button("Next").click()
        expect(d.find("#where")).to_have_text("26–50 of 2,000")
        second = d.texts()
        d.button("Next").click()
        expect(d.find("#where")).to_have_text("51–75 of 2,000")
        d.page.reload()
        expect(d.find("#where")).to_have_text("51–75 of 2,000")
        d.button("Previous").click()
        expect(d.find("#where")).to_have_text("26–50 of 2,000")
        assert d.texts() == second != first
        d.page.go_back()
        expect(d.find("#where")).to_have_text("51–75 of 2,000")
        for times, arrow in ((1, -1), (2, 1)):
            d.button("Score").click()
            expect(d.find("th.c-score")).to_have_attribute("aria-sort", "descending" if times == 1 else "ascending")
            wait(lambda: (scores := d.scores()) and scores == sorted(scores, reverse=times == 1) and scores[0] * (1.5 - times) > 0.25, "sorted by score")
        expect(d.find("#where")).to_have_text("1–25 of 2,000")
        d.shot("messages")


@check
def drill_down():
    """a click on a point, or Enter on the slider, leads to its messages; dragging zooms in"""
    s = filled()
    with dashboard(s, "#step=day") as d:
        d.drawn()
        over = d.find("#plot-mean .u-over")
        box = over.bounding_box()
        over.hover(position={"x": box["width"] / 2, "y": 50})
        expect(d.find("#point")).to_contain_text("messages")
        said = re.search(r"(\d+) messages", d.find("#point").inner_text()).group(1)
        over.click(position={"x": box["width"] / 2, "y": 50})
        expect(d.find("#where")).to_have_text(f"1–{said} of {said}")
        d.page.go_back()
        d.drawn()
        slider = d.find("#slider")
        slider.focus()
        d.page.keyboard.press("Home")
        d.page.keyboard.press("ArrowRight")
        value = slider.get_attribute("aria-valuetext")
        assert re.match(r"2 Jan 2026: mean [+−]\d\.\d\d \(95%: .*\), 24 messages", value), value
        d.page.keyboard.press("Enter")
        d.listed(24)
        d.page.go_back()
        d.drawn()
        d.find("#plot-count .u-over").scroll_into_view_if_needed()
        box = d.find("#plot-count .u-over").bounding_box()
        d.page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 20)
        d.page.mouse.down()
        d.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20, steps=4)
        d.page.mouse.up()
        wait(lambda: {"since", "until"} <= set(d.state()), "zoomed")
        wait(lambda: 400 < int(d.find("#total").inner_text().replace(",", "")) < 600, "a quarter of them")


@check
def live_feed():
    """messages appear as they are scored; pause holds them back; it connects again by itself and misses nothing; filters apply"""
    store = new_path("feed.db")
    # The last --store counts.
    with Server("--store", f"sqlite:{store}") as s:
        port = s.port
        with dashboard(s, known="ERR_|Failed to load") as d:
            d.live()
            submit(s, [{"id": "a", "text": "I love <b>it</b> <img src=x onerror=alert(1)>", "source": "shop"}])
            expect(d.find("#events li").first).to_contain_text("I love <b>it</b> <img src=x onerror=alert(1)>")
            expect(d.find("#events li").first).to_contain_text("+0.64")
            d.button("Pause").click()
            submit(s, [{"id": "b", "text": "The second"}])
            expect(d.find("#unseen")).to_have_text("1 new")
            assert d.find("#events li").count() == 1
            d.button("Resume").click()
            expect(d.find("#events li").first).to_contain_text("The second")
            s.stop()
            expect(d.find("#feed-state")).to_have_attribute("data-state", "waiting")
            with Server("--store", f"sqlite:{store}", listen=f"127.0.0.1:{port}") as again:
                submit(again, [{"id": "c", "text": "While nobody listened"}])
                expect(d.find("#events li").first).to_contain_text("While nobody listened")
                d.live()
                assert d.find("#events li").count() == 3
                d.find("#f-label").select_option("negative")
                expect(d.find("#events li")).to_have_count(0)
                d.live()
                submit(again, [{"id": "d", "text": "I love it"}, {"id": "e", "text": "I hate it"}])
                expect(d.find("#events li")).to_have_count(1)
                expect(d.find("#events li").first).to_contain_text("I hate it")


@check
def correcting():
    """a label is corrected where it stands; if somebody was faster, the newer value is shown and nothing is overwritten"""
    with Server() as s:
        submit(s, [{"id": f"n{i}", "text": text} for i, text in enumerate(("I love it", "I hate it"))])
        with dashboard(s, "#view=messages", known="412") as d:
            d.listed(2)
            label = lambda i: json.loads(s.ask("GET", f"/v1/messages/{i}")[2])["sentiment"]["label"]
            row = d.find("#rows tr", has_text="I hate it")
            row.get_by_role("button", name="Correct the label of message n1").click()
            row.get_by_role("button", name="neutral").click()
            expect(row.locator(".chip")).to_contain_text("neutral")
            assert label("n1") == "neutral"
            row = d.find("#rows tr", has_text="I love it")
            s.ask("PATCH", "/v1/messages/n0", b'{"label":"neutral"}', {"Content-Type": "application/json"})
            row.get_by_role("button", name="Correct the label of message n0").click()
            row.get_by_role("button", name="negative").click()
            expect(row.get_by_role("alert")).to_contain_text("It is now ○neutral")
            assert label("n0") == "neutral"
            d.shot("conflict")
            row.get_by_role("button", name="Make it negative").click()
            expect(row.locator(".chip")).to_contain_text("negative")
            assert label("n0") == "negative"


@check
def words_of_a_message():
    """the words of a message are marked by what they contribute, whatever its letters"""
    with Server() as s:
        submit(s, [{"id": "x/1", "text": "Ünïcödé 😀: I love the food, I hate the noise", "source": "shop", "extra": {"a": 1}}])
        with dashboard(s, "#view=messages") as d:
            d.find("#rows a.text").click()
            marks = d.find("#message mark")
            expect(marks.filter(has_text="love")).to_have_class(re.compile("positive"))
            expect(marks.filter(has_text="hate")).to_have_class(re.compile("negative"))
            why = json.loads(s.post("/v1/sentiment?explain=1", json.dumps({"text": "Ünïcödé 😀: I love the food, I hate the noise"}).encode())[2])["sentiment"]["why"]
            raw = "Ünïcödé 😀: I love the food, I hate the noise".encode()
            want = [raw[slice(*w["at"])].decode() for w in why if w["value"]]
            got = [re.sub("[+−]$", "", t) for t in marks.all_inner_texts()]
            assert got == list(dict.fromkeys(want)), (got, want)
            expect(d.find("#message table tbody tr")).to_have_count(len(why))
            expect(d.find("#message dl")).to_contain_text('{"a":1}')
            d.shot("message")
            d.page.keyboard.press("Escape")
            wait(lambda: "message" not in d.state(), "closed")


@check
def score_box():
    """what one types is scored by several models side by side, once one pauses"""
    s = filled()
    with dashboard(s, "#view=score") as d:
        expect(d.find("#models input:checked")).to_have_count(3)
        d.find("#text").press_sequentially("I love this, but it is too expensive", delay=5)
        expect(d.find(".result .chip")).to_have_count(3)
        sent = len(d.paths("/v1/sentiment"))
        assert 3 <= sent <= 9, sent
        d.page.get_by_role("checkbox", name="afinn:en").check()
        expect(d.find(".result .chip")).to_have_count(4)
        names = d.find(".result h4").all_inner_texts()
        for name, shown in zip(names, d.find(".result .big").all_inner_texts()):
            answer = json.loads(s.post(f"/v1/sentiment?model={name}", b'{"text":"I love this, but it is too expensive"}')[2])
            assert float(shown.replace("−", "-")) == round(answer["sentiment"]["score"], 3), (name, shown, answer)
        assert d.state()["models"].split(",") == names, (d.state(), names)
        d.shot("score")


@check
def score_file():
    """a CSV file is scored in slices, of which formulas come back harmless; a text file too, dropped; both can be saved"""
    s = filled()
    rows = [["1", "I love it, \"really\"", "=1+1"], ["2", "I hate it\nvery much", "@x"], ["3", "", "ok"], ["4", "ünï ☃", "-2"]] + [[str(i), "good", "x"] for i in range(5, 4000)]
    path = new_path("survey.csv")
    with open(path, "w", newline="", encoding="utf-8-sig") as f:
        csv.writer(f, delimiter=";").writerows([["no", "comment", "note"], *rows])
    with dashboard(s, "#view=score") as d:
        expect(d.find("#file-model option").first).to_be_attached()
        d.find("#file").set_input_files(path)
        expect(d.find("#file-column")).to_have_value("1")
        d.find("#file-start").click()
        expect(d.find("#file-summary")).to_contain_text(f"{len(rows):,} texts scored")
        assert len(d.paths("/v1/sentiment")) >= 8
        d.shot("file")
        body, name = d.saved(d.find("#file-csv").click)
        got = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
        assert name == os.path.basename(path).replace(".csv", "-scored.csv"), name
        assert got[0] == ["no", "comment", "note", "sentiment_label", "sentiment_score", "sentiment_model", "sentiment_error"], got[0]
        assert [r[:3] for r in got[1:]] == [["1", rows[0][1], "'=1+1"], ["2", rows[1][1], "'@x"], rows[2], ["4", "ünï ☃", "'-2"], *rows[4:]], got[:6]
        assert [r[3:5] for r in got[1:4]] == [["positive", "0.6697"], ["negative", "-0.6115"], ["neutral", "0"]] or got[1][3] == "positive", got[1:4]
        body, _ = d.saved(d.find("#file-ndjson").click)
        lines = [json.loads(line) for line in body.decode().splitlines()]
        assert len(lines) == len(rows) and lines[1]["comment"] == rows[1][1] and lines[1]["sentiment"]["label"] == "negative", lines[1]
        d.find("#drop").evaluate("""zone => {
            const files = new DataTransfer();
            files.items.add(new File(['I love it\\n\\nI hate it'], 'notes.txt'));
            zone.dispatchEvent(new DragEvent('drop', {dataTransfer: files, bubbles: true, cancelable: true}));
        }""")
        d.find("#file-start").click()
        expect(d.find("#file-summary")).to_contain_text("2 texts scored")
        expect(d.find("#file-rows tr")).to_have_count(2)


@check
def exports():
    """all that matches as CSV and NDJSON, the charts as SVG, PNG and CSV"""
    with Server() as s:
        submit(s, [{"id": "=cmd", "text": "=HYPERLINK(\"http://evil.example\")", "source": "+x", "time": "2026-01-01T00:00:00Z", "big": 12345678901234567890},
                   {"id": "2", "text": "I love it", "time": "2026-01-02T00:00:00Z"}, {"id": "3", "text": "other"}])
        with dashboard(s, "#view=messages&q=i") as d:
            d.listed(2)
            body, name = d.saved(d.button("Export CSV").click)
            got = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))
            assert re.fullmatch(r"senti-messages-\d{4}-\d\d-\d\d\.csv", name), name
            assert [(r["id"], r["text"], r["source"]) for r in got] == [("2", "I love it", ""), ("'=cmd", "'=HYPERLINK(\"http://evil.example\")", "'+x")], got
            assert got[0]["score"] == "0.6369" and got[0]["label"] == "positive", got
            body, _ = d.saved(d.button("Export NDJSON").click)
            assert [json.loads(line)["id"] for line in body.decode().splitlines()] == ["2", "=cmd"]
            assert b'"big":12345678901234567890' in body, body
            d.page.get_by_role("link", name="Overview").click()
            d.drawn()
            chart = d.page.get_by_role("group", name="Save this chart")
            svg, _ = d.saved(chart.get_by_role("button", name="SVG").click)
            assert svg.startswith(b"<?xml") and b"<pattern" in svg and b"style=" not in svg, svg[:200]
            png, _ = d.saved(chart.get_by_role("button", name="PNG").click)
            assert png[:8] == b"\x89PNG\r\n\x1a\n" and len(png) > 5000, png[:20]
            os.makedirs(SHOTS, exist_ok=True)
            for kind, content in (("svg", svg), ("png", png)):
                with open(os.path.join(SHOTS, f"chart.{kind}"), "wb") as f:
                    f.write(content)
            body, _ = d.saved(chart.get_by_role("button", name="CSV").click)
            assert body.count(b"\r\n") >= 3, body


@check
def words_and_service():
    """the words that contribute most lead to their messages; how the service does"""
    s = filled()
    with dashboard(s) as d:
        expect(d.find("#terms-rows tr").first).to_be_visible()
        status, _, body = s.ask("GET", "/v1/terms?limit=16")
        items = json.loads(body)["items"]
        assert d.find("#terms-rows th").all_inner_texts() == [t["word"] for t in items if t["contribution"]]
        expect(d.find("#status")).to_contain_text("Cache hit rate")
        expect(d.find("#status")).to_contain_text("2,000")
        d.button("love", exact=True).click()
        d.all_texts("love")


@check
def sign_in():
    """with tokens it asks for one, keeps it in the tab alone, says what it does not allow, and forgets it"""
    reads, writes = new_token("read"), new_token("read,write")
    path = new_path("tokens")
    with open(path, "w") as f:
        f.write(reads[0] + writes[0])
    with Server("--tokens", path) as s:
        submit(s, [{"id": "a", "text": "I love it", "time": "2026-01-01T00:00:00Z"}], {"Authorization": f"Bearer {writes[1]}"})
        with dashboard(s, "docs", known="40[13]") as d:
            late = []
            d.context.route("**/v1/stats?by=source*", lambda r: r.continue_() if late else late.append(r))
            d.open()
            dialog = d.page.get_by_role("dialog")
            expect(dialog).to_be_visible()
            d.shot("sign-in")
            d.page.get_by_label("Token").fill("wrong")
            d.page.keyboard.press("Enter")
            expect(dialog).to_contain_text("does not know this token")
            d.page.get_by_label("Token").fill(reads[1])
            d.page.keyboard.press("Enter")
            d.drawn().live()
            # What a request without the token is answered, only now.
            with d.page.expect_response("**/v1/stats?by=source*"):
                late[0].fulfill(status=401, content_type="application/problem+json", body="{}")
            expect(d.find("#f-source")).to_have_attribute("title", re.compile("cannot be listed"))
            assert not dialog.is_visible()
            submit(s, [{"id": "b", "text": "I hate it"}], {"Authorization": f"Bearer {writes[1]}"})
            expect(d.find("#events li").first).to_contain_text("I hate it")
            kept = d.page.evaluate("[JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie]")
            assert kept[0] == "{}" and reads[1] in kept[1] and kept[2] == "", kept
            assert not d.paths(reads[1])
            d.page.get_by_role("link", name="Messages").click()
            d.listed(2)
            d.button("Correct the label of message a").click()
            d.find(".choice.negative").click()
            expect(d.find("#rows").get_by_role("alert")).to_contain_text("may read, but not correct")
            d.button("Sign out").click()
            expect(dialog).to_be_visible()
            assert d.page.evaluate("sessionStorage.length") == 0


@check
def empty_and_failing():
    """an empty store, a filter that nothing matches and a server that is gone are said"""
    with Server() as s:
        with dashboard(s, known="ERR_|Failed to load") as d:
            expect(d.find("#over-time-state")).to_contain_text("no messages with a time")
            expect(d.find("#summary-state")).to_contain_text("There are no messages yet")
            d.shot("empty")
            s.stop()
            d.page.get_by_role("link", name="Messages").click()
            expect(d.find("#messages-list-state")).to_contain_text("cannot be reached")
            d.shot("failing")


def accessible_in(server, name, **options):
    with dashboard(server, **options) as d:
        for view, ready in (("overview", "#terms-rows tr"), ("messages", "#rows tr"), ("score", "#models input")):
            d.page.evaluate("v => { location.hash = 'view=' + v }", view)
            expect(d.find(ready).first).to_be_visible()
            if view == "overview":
                d.drawn().live()
                d.find("#over-time-table summary").click()
                expect(d.find("#over-time-table tbody tr").first).to_be_visible()
            if view == "score":
                d.find("#text").fill("I love it, but I hate the noise")
                expect(d.find(".result .chip")).to_have_count(3)
            d.accessible(f"{view}, {name}")
            d.fits(f"{view}, {name}")
            d.shot(f"{view}-{name}")
        d.page.evaluate("location.hash = 'view=messages&message=m000001'")
        expect(d.find("#message mark").first).to_be_visible()
        d.accessible(f"a message, {name}")
        d.fits(f"a message, {name}")
        d.shot(f"message-{name}")


@check
def accessible():
    """axe-core finds nothing wrong on any view, light or dark, wide or 360 pixels, where nothing is cut off"""
    s = filled()
    accessible_in(s, "light", color_scheme="light")
    accessible_in(s, "dark", color_scheme="dark")
    accessible_in(s, "360", viewport={"width": 360, "height": 740}, color_scheme="light", reduced_motion="reduce")


@check
def keyboard():
    """all is reached by keyboard, in the order of the page, and one sees where one is"""
    s = filled()
    with dashboard(s, "#view=messages") as d:
        d.listed(25)
        d.page.keyboard.press("Tab")
        expect(d.find("#skip")).to_be_focused()
        d.page.keyboard.press("Enter")
        expect(d.find("#main")).to_be_focused()
        reached, unseen = [], []
        for _ in range(12):
            d.page.keyboard.press("Tab")
            name, outline = d.page.evaluate("""() => { const e = document.activeElement, s = getComputedStyle(e);
                return [e.getAttribute('aria-label') || e.textContent.trim(), s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2]; }""")
            reached.append(name)
            unseen += [] if outline else [name]
        assert not unseen, unseen
        assert reached[:4] == ["Export CSV", "Export NDJSON", "Time ▼", "Score"] and reached[4].startswith("Correct the label"), reached
        d.button("Correct the label of message").first.focus()
        d.page.keyboard.press("Enter")
        expect(d.find(".choice[aria-pressed=true]")).to_be_focused()
        d.page.keyboard.press("Escape")
        expect(d.button("Correct the label of message").first).to_be_focused()


@check
def many_points():
    """20,160 points are drawn, pointed at, walked through and redrawn; how long the longest task takes of the processor"""
    with Server() as s:
        messages = sample(20160, step=60)
        for i in range(0, len(messages), 5040):
            submit(s, messages[i:i + 5040])
        longest = []
        for _ in range(3 if TIMES else 1):
            with dashboard(s, "docs") as d:
                d.trace()
                d.open("#step=1m")
                d.drawn()
                box = d.find("#plot-mean .u-over").bounding_box()
                for x in range(20, int(box["width"]) - 20, 40):
                    d.page.mouse.move(box["x"] + x, box["y"] + 40)
                d.find("#slider").focus()
                d.page.keyboard.press("Home")
                d.page.keyboard.press("ArrowRight")
                d.page.set_viewport_size({"width": 1100, "height": 900})
                wide = "document.querySelector('#plot-share .u-over')?.clientWidth"
                wait(lambda: 0 < (d.page.evaluate(wide) or 0) < box["width"], "drawn for the other width")
                longest.append(max(d.tasks()))
                expect(d.find("#point")).to_contain_text("1 Jan 2026, 01:01")
                assert d.find("#slider").get_attribute("max") == "20159"
            if longest[-1] < TASK_MS:
                break
        assert min(longest) < TASK_MS or not TIMES, longest
        return f"longest task {longest[-1]:.0f} ms"


@check
def feed_under_load():
    """200 events a second leave the heap as it is: to 5% in ten minutes; to 20% in a few seconds, in which a leak would show as more"""
    with Server() as s:
        over, sent = threading.Event(), [0]

        def produce():
            begin = time.monotonic()
            while not over.is_set():
                n = int((time.monotonic() - begin) * RATE) - sent[0]
                if n:
                    texts = sample(n)
                    submit(s, [{"id": f"e{sent[0] + i}", "text": f"{m['text']} {sent[0] + i}", "source": m["source"]} for i, m in enumerate(texts)])
                    sent[0] += n
                over.wait(0.1)

        with dashboard(s) as d:
            d.live()
            session = d.context.new_cdp_session(d.page)
            producer = threading.Thread(target=produce)
            producer.start()
            try:
                # The first tenth fills what is kept.
                heaps = []
                for _ in range(10):
                    before = sent[0]
                    wait(lambda: sent[0] >= before + RATE * FEED_SECONDS / 10, "events are sent", 10 + FEED_SECONDS)
                    heaps.append(d.heap(session))
            finally:
                over.set()
                producer.join()
            last = f"{sent[0] - 1}"
            expect(d.find("#events li").first).to_contain_text(last)
            assert d.find("#events li").count() == 30
        assert heaps[-1] <= (1.05 if FEED_SECONDS >= 600 else 1.2) * heaps[0], heaps
        return f"{sent[0]} events, heap {heaps[0] / 1e6:.2f} MB, then {heaps[-1] / 1e6:.2f} MB"


try:
    run()
finally:
    close_browser()
    for s in shared:
        s.stop()
