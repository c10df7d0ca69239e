#!/bin/sh
# senti-ingest: every format, what each rejects, ids, and the sums. --follow and --rate: ingest_follow.sh.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

# sums COMMAND...: in = out + rejected, by the summary, by the lines of output and by those of rejects.
sums() {
	"$@" --summary --reject rejects >out 2>summary
	in=$(sed -n 's/.*"in":\([0-9]*\).*/\1/p' summary)
	echo "in=$in out=$(wc -l <out) rejected=$(wc -l <rejects)"
	[ "$in" -eq $(($(wc -l <out) + $(wc -l <rejects))) ] &&
		grep -q "\"out\":$(wc -l <out),\"rejected\":$(wc -l <rejects)," summary
	sums_status=$?
	rm -f rejects
	return "$sums_status"
}

# ids [FILE]: the ids of the records, a line each.
ids() {
	sed -n 's/.*"id":"\([^"]*\)".*/\1/p' "$@"
}

# bounded: no more memory than 300 MB from here on, where the program runs so at all (under a sanitizer it does not).
bounded() {
	# shellcheck disable=SC3045
	if sh -c 'ulimit -v 300000; senti-ingest --version; exit $?' >/dev/null 2>&1; then
		ulimit -v 300000
	fi
}

# --- CSV ---

printf '\357\273\277id,text,"st,ars",,stars,stars\r\n1,"a ""q""\r\nsecond",5,x,y,z\r\n\r\n2,5" disk,4,x,y,z\r\n3,short\r\n4,"unclosed,1,x,y,z\r\n5,ok,,x,y,z' >all.csv
t 'CSV: mark, CRLF, quotes, quoted line end, ragged row, open quote, names' 'senti-ingest all.csv' 1 <<'END'
{"id":"1","text":"a \"q\"\r\nsecond","source":"all.csv","st,ars":"5","c4":"x","stars":"y","c6":"z"}
{"id":"2","text":"5\" disk","source":"all.csv","st,ars":"4","c4":"x","stars":"y","c6":"z"}
{"id":"5","text":"ok","source":"all.csv","st,ars":"","c4":"x","stars":"y","c6":"z"}
--- stderr
{"error":{"code":"bad_row","message":"the row has 2 fields, the header 6","tool":"senti-ingest","line":6,"file":"all.csv"},"header":"id,text,\"st,ars\",,stars,stars","input":"3,short"}
{"error":{"code":"bad_row","message":"the quote opened here is not closed","tool":"senti-ingest","line":7,"file":"all.csv"},"header":"id,text,\"st,ars\",,stars,stars","input":"4,\"unclosed,1,x,y,z"}
END
ok 'CSV: the sums hold' sums senti-ingest all.csv

printf 'id,text\n1,"a\nb",c\n2,d\n' >ragged.csv
t 'a ragged row over two lines: its start, and all its bytes' 'senti-ingest ragged.csv 2>&1 >out; sed "s/,.source.*//" out' 0 <<'END'
{"error":{"code":"bad_row","message":"the row has 3 fields, the header 2","tool":"senti-ingest","line":2,"file":"ragged.csv"},"header":"id,text","input":"1,\"a\nb\",c"}
{"id":"2","text":"d"
END

{
	printf 'id,text\n1,"open\n'
	seq 2 5000 | sed 's/.*/&,text &/'
} >open.csv
t 'an open quote costs its line and no other, in small batches and with a small limit too' \
	'for o in "-b 7" "--max-record 100"; do senti-ingest $o open.csv 2>err | wc -l; wc -l <err; done' 0 <<'END'
4999
1
4999
1
END
ok 'the sums hold behind an open quote' sums senti-ingest -b 3 open.csv

printf 'id,text\n1,a\377\n2,b\000c\n3,fine\n' >hostile.csv
t 'CSV: bytes that are not UTF-8, and NUL' 'senti-ingest hostile.csv' 1 <<'END'
{"id":"3","text":"fine","source":"hostile.csv"}
--- stderr
{"error":{"code":"bad_utf8","message":"invalid UTF-8 at column 4","tool":"senti-ingest","line":2,"file":"hostile.csv"},"header":"id,text","input_base64":"MSxh/w=="}
{"error":{"code":"nul","message":"a NUL byte at column 4","tool":"senti-ingest","line":3,"file":"hostile.csv"},"header":"id,text","input_base64":"MixiAGM="}
END

: >empty.csv
printf 'id,text\n' >header.csv
printf 'id,text' >half.csv
t 'an empty file and a header alone give nothing' 'senti-ingest empty.csv header.csv half.csv' 0
t 'and are empty input' 'senti-ingest --exit-if-empty header.csv' 99

printf 'a;b\n1;x, y\n' >semi.csv
t '--delimiter, --id by number, --text by name' "senti-ingest --delimiter ';' --id 1 --text b semi.csv" 0 <<'END'
{"id":"1","text":"x, y","source":"semi.csv"}
END
t '--no-header numbers the columns' "senti-ingest --no-header --delimiter ';' --text c2 --source s semi.csv | sed 's/\"id\":\"[0-9a-f]*\"/\"id\":H/'" 0 <<'END'
{"id":H,"text":"b","source":"s","c1":"a"}
{"id":H,"text":"x, y","source":"s","c1":"1"}
END
t 'a missing column: which there are' 'senti-ingest --text review all.csv' 2 <<'END'
--- stderr
senti-ingest: all.csv: no column 'review' for --text; the columns are: id, text, st,ars, , stars, stars
END
t 'no column is the text: the remedy' 'printf "a,b\n1,2\n" | senti-ingest -F csv' 2 <<'END'
--- stderr
senti-ingest: stdin: which column is the text? Name it with --text; the columns are: a, b
END
t 'a wrong delimiter is guessed at' 'senti-ingest --text b semi.csv' 2 <<'END'
--- stderr
senti-ingest: semi.csv: no column 'b' for --text; the columns are: a;b (is the delimiter ';'? See --delimiter)
END
t 'the one column is the text' 'printf "review\nfine\n" | senti-ingest -F csv --source s | sed "s/[0-9a-f]\{32\}/H/"' 0 <<'END'
{"id":"H","text":"fine","source":"s"}
END
t 'a header that is not UTF-8 is told' 'printf "id,t\344xt\n1,a\n" | senti-ingest -F csv' 2 <<'END'
--- stderr
senti-ingest: stdin:1: the header is not UTF-8; convert the file first (iconv -f FROM -t UTF-8)
END
t 'a header whose quote is open is told' 'printf "id,\"text\n1,a\n" | senti-ingest -F csv' 2 <<'END'
--- stderr
senti-ingest: stdin:1: the header cannot be read: the quote opened here is not closed
END
t 'records before a bad header still go out' 'printf "text\na\n" >ok1.csv; senti-ingest --source s ok1.csv semi.csv -b 1 2>err | sed "s/[0-9a-f]\{32\}/H/"' 0 <<'END'
{"id":"H","text":"a","source":"s"}
END
printf 'text,body,id\nold,new,\n' >taken.csv
t 'a column whose name is taken becomes cN; an empty id is derived' 'senti-ingest --text body --source s taken.csv | sed "s/[0-9a-f]\{32\}/H/"' 0 <<'END'
{"id":"H","text":"new","source":"s","c1":"old"}
END
printf 'text,source\na,twitter\nb,\n' >sourced.csv
t 'a column source is the source, where it is not empty' 'senti-ingest sourced.csv | sed "s/[0-9a-f]\{32\}/H/"' 0 <<'END'
{"id":"H","text":"a","source":"twitter"}
{"id":"H","text":"b","source":"sourced.csv"}
END

# --- TSV, text ---

printf 'n\ttext\n1\t"he said\n2\t"quoted ""x"""\n3\ta "b" c\n4\n"5\n6"\tover\n' >quotes.tsv
t 'TSV: stray quotes are characters, quotes of spreadsheets are not' 'senti-ingest --id n quotes.tsv' 1 <<'END'
{"id":"1","text":"\"he said","source":"quotes.tsv"}
{"id":"2","text":"quoted \"x\"","source":"quotes.tsv"}
{"id":"3","text":"a \"b\" c","source":"quotes.tsv"}
{"id":"5\n6","text":"over","source":"quotes.tsv"}
--- stderr
{"error":{"code":"bad_row","message":"the row has 1 field, the header 2","tool":"senti-ingest","line":5,"file":"quotes.tsv"},"header":"n\ttext","input":"4"}
END

printf '\357\273\277thanks\r\n\r\n  \nthanks\n\377bad\nn\000l\n"quoted", too' >plain.txt
t 'text: a line is a text' 'senti-ingest plain.txt | sed "s/[0-9a-f]\{32\}/H/"' 0 <<'END'
{"id":"H","text":"thanks","source":"plain.txt"}
{"id":"H","text":"thanks","source":"plain.txt"}
{"id":"H","text":"\"quoted\", too","source":"plain.txt"}
--- stderr
{"error":{"code":"bad_utf8","message":"invalid UTF-8 at column 1","tool":"senti-ingest","line":5,"file":"plain.txt"},"input_base64":"/2JhZA=="}
{"error":{"code":"nul","message":"a NUL byte at column 2","tool":"senti-ingest","line":6,"file":"plain.txt"},"input_base64":"bgBs"}
END
ok 'text: the sums hold' sums senti-ingest plain.txt

# --- ids ---

printf 'thanks\nthanks\n' >a.txt
cp a.txt b.txt
senti-ingest a.txt >first
senti-ingest a.txt >second
ok 'a file again: the same ids' cmp first second
t 'two thanks are two, and two files with --source are four' 'ids first | sort -u | wc -l; senti-ingest --source shop a.txt b.txt | ids | sort -u | wc -l' 0 <<'END'
2
4
END
mkdir d
cp a.txt d
t 'files of one name in two folders are two, also with --source' 'senti-ingest --source s a.txt d/a.txt | ids | sort -u | wc -l' 0 <<'END'
4
END
t '--id-path stands for the path' 'senti-ingest --source s --id-path a a.txt >x; senti-ingest --source s --id-path a d/a.txt | cmp x -' 0
t '--id-scheme 1 makes the ids of 0.1, which knew no folder' 'senti-ingest --source s --id-scheme 1 a.txt d/a.txt | ids | sort -u' 0 <<'END'
aeda52bdf75647e4900f3daccd0aadde
b2ba4e4baccbcdb3c7055c78c5245a5e
END
mkfifo pipe
t 'a pipe is a new source each time, whatever its name' 'for i in 1 2; do cat a.txt >pipe & senti-ingest -F text pipe; done | ids | sort -u | wc -l' 0 <<'END'
4
END
t '/dev/stdin is no file' 'for i in 1 2; do senti-ingest -F text /dev/stdin <a.txt; done | ids | sort -u | wc -l' 0 <<'END'
4
END
{ echo new; cat a.txt; } >d/a.txt
t '--id-by content: a line at the top changes no other id' 'senti-ingest --source s --id-by content a.txt | ids >x; senti-ingest --source s --id-by content d/a.txt | ids | tail -n 2 | cmp x - && sort -u x | wc -l' 0 <<'END'
2
END
t '--id-prefix goes before ids of every kind' 'printf "{\"id\":7,\"text\":\"a\"}\n{\"text\":\"b\"}\n" | senti-ingest -F json --source s --id-prefix "k\"-" | jq -r .id | sed "s/[0-9a-f]\{32\}/H/"; printf "id,text\n7,a\n" | senti-ingest -F csv --id-prefix k- | jq -r .id' 0 <<'END'
k"-7
k"-H
k-7
END
t '--id-prefix is UTF-8' 'senti-ingest --id-prefix "$(printf "\377")" a.txt' 2 <<'END'
--- stderr
senti-ingest: --id-prefix takes UTF-8 of at most 64 bytes, not '\xff'
try 'senti-ingest --help'
END
t 'stdin is a new source each time, without a source' 'for i in 1 2; do senti-ingest <a.txt; done >x; grep -c source x; ids x | sort -u | wc -l' 0 <<'END'
0
4
END
t 'stdin with --source has the same ids again' 'for i in 1 2; do senti-ingest --source s <a.txt; done | ids | sort -u | wc -l' 0 <<'END'
2
END
t 'the batch size changes no id' 'senti-ingest -b 1 open.csv 2>rej1 >x; senti-ingest -b 999 open.csv 2>rej2 | cmp x - && cmp rej1 rej2' 0
t 'a derived id is 32 hex digits' 'ids first | grep -cE "^[0-9a-f]{32}$"' 0 <<'END'
2
END

# --- JSON ---

cat >in.jsonl <<'END'
{"text":"hi", "n":1.50, "e":"\u00e4" }
{"id":"7","text":"x"}
{"id":7,"text":"y","source":"own"}
{"id":"","text":"z"}
{"text":5}
{"n":1}
[1]
nope
END
t 'JSON: ids are spliced in, all else stays byte for byte' 'senti-ingest --source s in.jsonl | sed "s/[0-9a-f]\{32\}/H/"' 0 <<'END'
{"text":"hi", "n":1.50, "e":"\u00e4" ,"id":"H","source":"s"}
{"id":"7","text":"x","source":"s"}
{"id":"7","text":"y","source":"own"}
{"text":"z","id":"H","source":"s"}
--- stderr
{"error":{"code":"bad_text","message":"member 'text' is not a string","tool":"senti-ingest","line":5,"column":9,"file":"in.jsonl"},"input":"{\"text\":5}"}
{"error":{"code":"no_text","message":"no member 'text' (--text names another)","tool":"senti-ingest","line":6,"file":"in.jsonl"},"input":"{\"n\":1}"}
{"error":{"code":"not_object","message":"not an object at column 1","tool":"senti-ingest","line":7,"column":1,"file":"in.jsonl"},"input":"[1]"}
{"error":{"code":"bad_json","message":"expected true, false or null at column 2","tool":"senti-ingest","line":8,"column":2,"file":"in.jsonl"},"input":"nope"}
END
printf '%s\n' '{"id":"7",  "text":"x" }' >whole.jsonl
t 'a record that has all passes untouched' 'senti-ingest whole.jsonl | cmp - whole.jsonl' 0
t 'JSON: members are renamed in their place, the time is rewritten' 'echo "{\"b\":\"t\",\"text\":1,\"at\":1714557600,\"k\":\"7\"}" | senti-ingest --text b --time at --id k' 0 <<'END'
{"text":"t","c2":1,"time":"2024-05-01T10:00:00.000Z","id":"7"}
END
t 'JSON: a bad time that --time names' 'echo "{\"text\":\"t\",\"at\":true}" | senti-ingest --time at' 1 <<'END'
--- stderr
{"error":{"code":"bad_time","message":"cannot read the time true","tool":"senti-ingest","line":1},"input":"{\"text\":\"t\",\"at\":true}"}
END

# --- times ---

printf 'text,when\na,2024-05-01 12:00:00\nb,2024-05-01T12:00:00.5+02:00\nc,\nd,soon\n' >times.csv
t '--time: rewritten, kept, absent, rejected' 'senti-ingest --time when times.csv | sed "s/[0-9a-f]\{32\}/H/"' 0 <<'END'
{"id":"H","text":"a","time":"2024-05-01T12:00:00.000Z","source":"times.csv"}
{"id":"H","text":"b","time":"2024-05-01T12:00:00.5+02:00","source":"times.csv"}
{"id":"H","text":"c","source":"times.csv"}
--- stderr
{"error":{"code":"bad_time","message":"cannot read the time 'soon'","tool":"senti-ingest","line":5,"file":"times.csv"},"header":"text,when","input":"d,soon"}
END
t 'a column time that no option names: rewritten where it can be, never rejected' \
	'printf "text,time\na,1714557600\nb,soon\n" | senti-ingest -F csv | sed "s/[0-9a-f]\{32\}/H/"' 0 <<'END'
{"id":"H","text":"a","time":"2024-05-01T10:00:00.000Z"}
{"id":"H","text":"b","time":"soon"}
END
t 'a zone that does not exist is a mistake, not UTC' 'echo x | TZ=Europe/Berln senti-ingest -F text' 2 <<'END'
--- stderr
senti-ingest: TZ='Europe/Berln' is not a time zone; an example is Europe/Berlin
try 'senti-ingest --help'
END
t 'an empty zone is none' 'echo x | TZ= senti-ingest -F text | jq -r .text' 0 <<'END'
x
END
t 'local time is of $TZ' 'printf "text,time\na,2024-05-01 12:00:00\n" | TZ=CET-1CEST,M3.5.0,M10.5.0/3 senti-ingest -F csv | grep -o "2024[^\"]*"' 0 <<'END'
2024-05-01T10:00:00.000Z
END

printf 'id,when,text\n1,03/04/2015,a\n2,03/14/2015 2:05 PM,b\n3,14/03/2015,c\n' >us.csv
t '03/04/2015: the file tells the order; a date that contradicts it is rejected' 'senti-ingest --time when --source s us.csv' 1 <<'END'
{"id":"1","text":"a","time":"2015-03-04T00:00:00.000Z","source":"s"}
{"id":"2","text":"b","time":"2015-03-14T14:05:00.000Z","source":"s"}
--- stderr
{"error":{"code":"bad_time","message":"cannot read the time '14/03/2015': the first date of the file that tells is month/day (--time-format)","tool":"senti-ingest","line":4,"file":"us.csv"},"header":"id,when,text","input":"3,14/03/2015,c"}
END
printf 'id,when,text\n1,03.04.2015 10:00,a\n2,"14.03.2015",caf\351\n' | gzip >de.csv.gz
t 'also day first, in another encoding and compressed' 'senti-ingest --time when --source s --encoding windows-1252 de.csv.gz' 0 <<'END'
{"id":"1","text":"a","time":"2015-04-03T10:00:00.000Z","source":"s"}
{"id":"2","text":"café","time":"2015-03-14T00:00:00.000Z","source":"s"}
END
printf '{"id":"1","at":"1/2/2015","text":"a"}\n{"id":"2","at":"13/2/2015","text":"b"}\n' >de.jsonl
t 'and in JSON' 'senti-ingest --time at de.jsonl | jq -r .time' 0 <<'END'
2015-02-01T00:00:00.000Z
2015-02-13T00:00:00.000Z
END
printf 'id,when,text\n0,,x\n1,03/04/2015,a\n2,05/05/2015,b\n' >either.csv
t 'a file that does not tell is an error, not a guess; so is a stream' 'senti-ingest --time when either.csv; senti-ingest -F csv --time when <us.csv >out' 2 <<'END'
{"id":"0","text":"x","source":"either.csv"}
--- stderr
senti-ingest: either.csv: dates such as '03/04/2015' are month/day or day/month, and no date of the file tells: say which with --time-format '%m/%d/%Y' or '%d/%m/%Y'
senti-ingest: stdin: dates such as '03/04/2015' are month/day or day/month, and a stream or a file that grows cannot be searched for a date that tells: say which with --time-format '%m/%d/%Y' or '%d/%m/%Y'
END
t '--time-format tells; the first that fits is taken' "senti-ingest --time when --time-format '%d/%m/%Y' --time-format epoch-ms either.csv | jq -r .time" 0 <<'END'
null
2015-04-03T00:00:00.000Z
2015-05-05T00:00:00.000Z
END
t 'a stream that began with other times: such a date is rejected, unless the option tells' \
	'printf "id,when,text\n1,2015-03-04,a\n2,10/21/2016,b\n" >s.csv; for f in "" "--time-format %F --time-format %m/%d/%Y"; do senti-ingest -F csv --time when $f <s.csv | jq -r .time; done' 0 <<'END'
2015-03-04T00:00:00.000Z
2015-03-04T00:00:00.000Z
2016-10-21T00:00:00.000Z
--- stderr
{"error":{"code":"bad_time","message":"cannot read the time '10/21/2016': is it month/day or day/month (--time-format)?","tool":"senti-ingest","line":3},"header":"id,when,text","input":"2,10/21/2016,b"}
END
printf 'id,time,text\n1,04.03.15 01:30,a\n2,soon,b\n' >short.csv
t '--time-format alone makes the column time strict, also in JSON' \
	"senti-ingest --time-format '%d.%m.%y %H:%M' short.csv | jq -r .time; printf '{\"time\":\"1.2.24\",\"text\":\"a\"}\n{\"time\":\"x\",\"text\":\"b\"}\n' | senti-ingest -F json --time-format %d.%m.%y | jq -r .time" 0 <<'END'
2015-03-04T01:30:00.000Z
2024-02-01T00:00:00.000Z
--- stderr
{"error":{"code":"bad_time","message":"cannot read the time 'soon'","tool":"senti-ingest","line":3,"file":"short.csv"},"header":"id,time,text","input":"2,soon,b"}
{"error":{"code":"bad_time","message":"cannot read the time \"x\"","tool":"senti-ingest","line":2},"input":"{\"time\":\"x\",\"text\":\"b\"}"}
END
printf 'id,time,text\n1,31.03.2024 02:30,gap\n2,27.10.2024 02:30,twice\n' >dst.csv
t '--time-format in local time: the hour that is missing, and the one that comes twice' \
	"TZ=Europe/Berlin senti-ingest --time-format '%d.%m.%Y %H:%M' dst.csv | jq -r .time; TZ=Europe/Berlin senti-ingest --time time dst.csv | jq -r .time" 0 <<'END'
2024-03-31T01:30:00.000Z
2024-10-27T00:30:00.000Z
2024-03-31T01:30:00.000Z
2024-10-27T00:30:00.000Z
END
printf 'id,time,text\n1,9223372036854775808,a\n2,253402300800,b\n3,99999999999999999,c\n4,-1,d\n5,,e\n6,1e9,f\n' >epoch.csv
t '--time-format epoch: what is out of range is rejected, what is empty is no time' \
	"for f in epoch epoch-ms epoch-us epoch-ns; do senti-ingest --time-format \$f epoch.csv 2>/dev/null | jq -r '.id + \" \" + (.time // \"none\")'; done" 0 <<'END'
4 1969-12-31T23:59:59.000Z
5 none
2 1978-01-11T21:31:40.800Z
4 1969-12-31T23:59:59.999Z
5 none
2 1970-01-03T22:23:22.300Z
3 5138-11-16T09:46:39.999Z
4 1970-01-01T00:00:00.000Z
5 none
2 1970-01-01T00:04:13.402Z
3 1973-03-03T09:46:39.999Z
4 1970-01-01T00:00:00.000Z
5 none
END
t '--time-format: what it is not' "for f in nonsense %Y %s '%d %Q' '%F %I:%M'; do senti-ingest --time-format \"\$f\" a.txt; done; senti-ingest --time-format %F plain.txt" 2 <<'END'
--- stderr
senti-ingest: --time-format takes a format as for strptime(3), such as %m/%d/%Y, epoch, epoch-ms, epoch-us or epoch-ns, not 'nonsense'
try 'senti-ingest --help'
senti-ingest: --time-format takes a format with a day, such as %d, not '%Y'
try 'senti-ingest --help'
senti-ingest: --time-format takes epoch for seconds since 1970, not '%s'
try 'senti-ingest --help'
senti-ingest: --time-format takes a format without %Q, which is not a conversion of times, not '%d %Q'
try 'senti-ingest --help'
senti-ingest: --time-format takes a format with %p beside %I, the hour of half a day, not '%F %I:%M'
try 'senti-ingest --help'
senti-ingest: a plain text has no columns: --text, --id, --time and --time-format need csv, tsv, json or log
END

# --- logs ---

cat >access.log <<'END'
127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a\"b HTTP/1.0" 200 2326 "http://x/" "Mozilla (X)"
127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "-" 408 -
END
t 'combined' 'senti-ingest -F log --pattern combined --source w access.log | sed "s/[0-9a-f]\{32\}/H/"' 0 <<'END'
{"id":"H","text":"GET /a\\\"b HTTP/1.0","time":"2000-10-10T20:55:36.000Z","source":"w","host":"127.0.0.1","ident":"-","user":"frank","status":"200","bytes":"2326","referer":"http://x/","agent":"Mozilla (X)"}
--- stderr
{"error":{"code":"no_match","message":"the line does not match the pattern","tool":"senti-ingest","line":2,"file":"access.log"},"input":"127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] \"-\" 408 -"}
END
t 'common, and --text chooses another group' 'tail -n 1 access.log | senti-ingest --pattern common --text host --source w | sed "s/[0-9a-f]\{32\}/H/"' 0 <<'END'
{"id":"H","text":"127.0.0.1","time":"2000-10-10T20:55:36.000Z","source":"w","ident":"-","user":"-","request":"-","status":"408","bytes":"-"}
END
cat >sys.log <<'END'
<34>1 2003-10-11T22:14:15.003Z host su - ID47 [a@1 b="c\]d"] hello there
2024-05-01T12:00:00.123456+02:00 box cron[7]: ran
<13>Oct  1 01:02:03 box sshd[99]: Failed
what
END
t 'syslog: RFC 5424, RFC 3339 times, RFC 3164' 'senti-ingest --pattern syslog --source s sys.log 2>err | sed -e "s/[0-9a-f]\{32\}/H/" -e "s/20[0-9][0-9]-10-01/YEAR-10-01/"; grep -c no_match err' 0 <<'END'
{"id":"H","text":"hello there","time":"2003-10-11T22:14:15.003Z","source":"s","priority":"34","host":"host","program":"su","pid":"-","msgid":"ID47","data":"[a@1 b=\"c\\]d\"]"}
{"id":"H","text":"ran","time":"2024-05-01T12:00:00.123456+02:00","source":"s","host":"box","program":"cron","pid":"7"}
{"id":"H","text":"Failed","time":"YEAR-10-01T01:02:03.000Z","source":"s","priority":"13","host":"box","program":"sshd","pid":"99"}
1
END
cat >journal.json <<'END'
{"__CURSOR":"s=1","MESSAGE":[72,195,164],"__REALTIME_TIMESTAMP":"1714557600123456","_HOSTNAME":"h","SYSLOG_IDENTIFIER":"cron","PRIORITY":"6","_PID":"1"}
{"__CURSOR":"s=2","MESSAGE":[72,255],"__REALTIME_TIMESTAMP":"1714557600123456"}
{"__CURSOR":"s=3","MESSAGE":null,"__REALTIME_TIMESTAMP":"1714557600123456"}
{"__CURSOR":"s=4","MESSAGE":"x","__REALTIME_TIMESTAMP":"never"}
END
t 'journal: bytes, times, members, rejects' 'senti-ingest -F log --pattern journal --source j journal.json 2>err | sed "s/[0-9a-f]\{32\}/H/"; sed "s/.*code\":\"\([a-z0-9_]*\).*/\1/" err' 0 <<'END'
{"id":"H","text":"Hä","time":"2024-05-01T10:00:00.123Z","source":"j","_HOSTNAME":"h","SYSLOG_IDENTIFIER":"cron","PRIORITY":"6"}
bad_utf8
no_text
bad_time
END
t 'journal: the cursor gives the same id in every stream' 'for i in 1 2; do head -n 1 journal.json | senti-ingest --pattern journal; done | ids | sort -u | wc -l' 0 <<'END'
1
END
t 'a pattern of the user: groups in order, an absent one gives no member' \
	"printf 'W: a\nE 7: b\n' | senti-ingest -F log --pattern '^(?<level>\\w)(?: (?<n>\\d))?: (?<msg>.*)' --source s | sed 's/[0-9a-f]\\{32\\}/H/'" 0 <<'END'
{"id":"H","text":"a","source":"s","level":"W"}
{"id":"H","text":"b","source":"s","level":"E","n":"7"}
END
t 'no named group, no expression, no text, no pattern' \
	"for p in '(x)' '(' '(?<a>.)(?<b>.)'; do echo x | senti-ingest -F log --pattern \"\$p\"; done; senti-ingest -F log a.txt" 2 <<'END'
--- stderr
senti-ingest: the pattern has no named group; name at least the text: (?<text>...)
senti-ingest: the pattern is neither a preset nor a regular expression: missing closing parenthesis at character 2 of '('
senti-ingest: --pattern: which group is the text? Name it with --text; the groups are: a, b
senti-ingest: -F log needs --pattern: common, combined, syslog, journal, or a regular expression
try 'senti-ingest --help'
END
t 'a hostile line does not hang a hostile pattern' \
	"{ head -c 100000 /dev/zero | tr '\\0' a; echo '!'; } | senti-ingest -F log --pattern '(?<text>(a+)+)\$' 2>&1 | cut -c 1-105" 0 <<'END'
{"error":{"code":"no_match","message":"matching stopped: the pattern takes too many steps on this line","
END

# --- records of several lines ---

printf 'before\n[1] a\r\n  b\r\n\r\n  c\r\n\r\n[2] d\n\n[3] \344\n[4] e\n f' >joined.txt
t '--join: lines that do not match continue a record; blank lines stay within it, CRLF becomes LF' "senti-ingest --join '^\\[' --source s joined.txt 2>err | jq -c .text; sed 's/.*code/code/' err" 0 <<'END'
"before"
"[1] a\n  b\n\n  c"
"[2] d"
"[4] e\n f"
code":"bad_utf8","message":"invalid UTF-8 at column 5","tool":"senti-ingest","line":9,"file":"joined.txt"},"input_base64":"WzNdIOQ="}
END
t 'the id is of the first line, each file ends a record, and so does the end of a pipe' "printf ' x\n[1] y\n' >joined2.txt; senti-ingest --join '^\\[' joined.txt joined2.txt -q 2>&1 | jq -r '.text // empty' | tail -n 4; cat joined.txt | senti-ingest -F text --join '^\\[' 2>/dev/null | jq -r .text | tail -n 2; printf '[2] d\n' | senti-ingest --join . --id-path p --source s | jq -r .id >id1; printf '[2] d\n\n \n' | senti-ingest --id-path p --source s --join . | jq -r .id | cmp - id1" 0 <<'END'
[4] e
 f
 x
[1] y
[4] e
 f
END
t '--join and --pattern: . is also the end of a line; presets too' "printf '1: a\n b\n2: c\nnone\n  of it\n3\n' | senti-ingest --join '^\\w' --pattern '^(?<n>\\d): (?<text>.*)' --source s 2>err | jq -c '[.n,.text]'; senti-ingest -F reject err; printf 'Oct  1 01:02:03 h app[1]: one\n\tat x\nOct  1 01:02:04 h app[1]: two\n' | senti-ingest --join '^\\S' --pattern syslog | jq -c .text" 0 <<'END'
["1","a\n b"]
["2","c"]
none
  of it
3
"one\n\tat x"
"two"
END
t '--join with --encoding and --unescape' "printf '[1] caf\351\n na\303\257ve &amp;\n' | senti-ingest --join '^\\[' --encoding utf-8,windows-1252 --unescape html | jq -c .text" 0 <<'END'
"[1] café\n naïve &"
END
{
	printf '[1] a\n%040d\r\n%040d\n\n c\n[2] fine\n d\n[3] e\n' 0 0
	printf '%02000d\n f\n[4] g\n[5]%02000d\n h\n[6] i\n' 0 0
} >longer.txt
t 'a record that is too long is a reject, whose lines come back byte for byte' "senti-ingest --join '^\\[' --max-record 64 longer.txt 2>rej | jq -c .text; sed 's/.*code\":\"\([a-z_]*\).*\"line\":\([0-9]*\).*/\1 \2/' rej; printf '[1] a\n%040d\r\n%040d\n\n c\n[3] e\n%02000d\n f\n[5]%02000d\n h\n' 0 0 0 0 >want; senti-ingest -F reject rej | cmp - want" 0 <<'END'
"[2] fine\n d"
"[4] g"
"[6] i"
too_long 1
too_long 8
too_long 9
too_long 10
too_long 12
too_long 13
END
ok '--join: the sums hold' sums senti-ingest --join '^\[' --max-record 64 joined.txt longer.txt
t 'a record without an end takes no memory, none of its lines becomes a record, and all come back' \
	"(bounded; { echo '[1] a'; yes 'no record begins here' | head -n 5000000; echo '[2] b'; } | tee endless | senti-ingest --join '^\\[' --source s 2>rej | jq -c .text; jq -r '.input // (.input_base64 | @base64d)' rej >again; echo '[2] b' >>again; cmp again endless); rm -f again endless" 0 <<'END'
"[2] b"
END
t '--join: what it is not for, and a mistake' "for args in '-F csv' '-F json' '-F reject' '--pattern journal' '--join ('; do senti-ingest --join x \$args joined.txt 2>&1 | head -n 1; done; senti-ingest --join x amqp:q 2>&1 | head -n 1" 0 <<'END'
senti-ingest: --join is for text and logs, not for csv
senti-ingest: --join is for text and logs, not for json
senti-ingest: --join is for text and logs, not for reject
senti-ingest: --join is for text and logs, not for journal
senti-ingest: --join is not a regular expression: missing closing parenthesis at character 2 of '('
senti-ingest: a queue holds records or rejects: -F json or -F reject, not --join
END

# --- other encodings, compressed files, arrays ---

printf 'id,text\n1,good\n2,b\344d\n' >old.csv
{
	printf '\377\376'
	printf 'id,text\r\n1,good\r\n2,b\303\244d\r\n' | iconv -f UTF-8 -t UTF-16LE
} >wide.csv
printf 'id,text\n1,good\n2,b\303\244d\n' >new.csv
senti-ingest --source s new.csv >wanted
t '--encoding: a file in windows-1252' 'senti-ingest --source s --encoding windows-1252 old.csv | cmp - wanted' 0
t 'UTF-16, by its byte-order mark' 'senti-ingest --source s wide.csv | cmp - wanted' 0
t 'and from a pipe' 'cat wide.csv | senti-ingest -F csv --source s | cmp - wanted' 0
t 'UTF-16 without a mark, by name' 'tail -c +3 wide.csv | senti-ingest -F csv --source s --encoding utf-16le | cmp - wanted' 0
printf 'id,text\n1,caf\303\251\n2,"caf\351\nna\303\257ve"\n3,\201\n' >mixed.csv
t '--encoding with a fallback: record by record; what is in neither is rejected' 'senti-ingest --encoding utf-8,windows-1252 mixed.csv' 1 <<'END'
{"id":"1","text":"café","source":"mixed.csv"}
{"id":"2","text":"café\nnaïve","source":"mixed.csv"}
--- stderr
{"error":{"code":"bad_utf8","message":"invalid UTF-8 at column 3","tool":"senti-ingest","line":5,"file":"mixed.csv"},"header":"id,text","input_base64":"MyyB"}
END
t '--encoding: a name that iconv does not know' 'senti-ingest --encoding utf-8,win1252 mixed.csv' 2 <<'END'
--- stderr
senti-ingest: --encoding takes up to 4 names that iconv knows (iconv -l), separated by commas, not 'win1252'
try 'senti-ingest --help'
END
t '--unescape: entities of HTML in the text; the id stays' 'printf "text,n\ndon&#39;t &lt;3,&amp;\n" >e.csv; senti-ingest e.csv | jq -r .id >x; senti-ingest --unescape html e.csv | tee y | jq -r .id | cmp x - && jq -c "[.text,.n]" y; echo "{\"id\":\"1\",\"text\":\"a&amp;b\"}" | senti-ingest --unescape html' 0 <<'END'
["don't <3","&amp;"]
{"id":"1","text":"a&b"}
END
printf 'sep=;\r\nid;text\r\n1;"a;b"\r\n' >excel.csv
t "Excel's sep=; chooses the delimiter" 'senti-ingest excel.csv; cat excel.csv | senti-ingest' 0 <<'END'
{"id":"1","text":"a;b","source":"excel.csv"}
{"id":"1","text":"a;b"}
END
gzip -c new.csv >new.csv.gz
cat new.csv.gz >unnamed
base64 -d >new.csv.zst <<'END'
KLUv/QRYqQAAaWQsdGV4dAoxLGdvb2QKMixiYWQKpePo+A==
END
t 'gzip, by its first bytes; the name before .gz says the format' 'senti-ingest --source s new.csv.gz | cmp - wanted; senti-ingest -F csv --source s unnamed | cmp - wanted; senti-ingest -F csv --source s <unnamed | cmp - wanted' 0
t 'a pipe of gzip' 'cat unnamed | senti-ingest -F csv --source s | cmp - wanted' 0
t 'Zstandard' 'senti-ingest new.csv.zst' 0 <<'END'
{"id":"1","text":"good","source":"new.csv.zst"}
{"id":"2","text":"bad","source":"new.csv.zst"}
END
ok 'which no other input loads' sh -c '! readelf -d "$SENTI_BIN/senti-ingest" | grep -qE "NEEDED.*lib(z|zstd)\."'
seq 100000 | gzip -c >numbers.gz
t 'a compressed file that ends too early: what is there comes out, then status 3' 'head -c 100000 numbers.gz >short.gz; senti-ingest -F text short.gz >out 2>err; echo $?; cat err; [ "$(wc -l <out)" -gt 30000 ]' 0 <<'END'
3
senti-ingest: cannot read 'short.gz': its compressed data ends too early
END
t 'a bomb takes no memory' '(bounded; head -c 400000000 /dev/zero | gzip -c | senti-ingest -F text 2>&1 | head -c 60; echo)' 0 <<'END'
{"error":{"code":"too_long","message":"the line is longer th
END
printf '[\n {"id": 1,\n  "text": "a"},\n {"id": 2, "text": "b"}, 7]\n' >array.json
t 'an array of JSON is its elements' 'senti-ingest array.json' 1 <<'END'
{"id": "1", "text": "a"}
{"id": "2", "text": "b"}
--- stderr
{"error":{"code":"not_object","message":"not an object at column 1","tool":"senti-ingest","line":3,"column":1,"file":"array.json"},"input":"7"}
END
t 'a large one takes little memory' '(bounded; { printf "[{\"text\":\"a\"}"; yes ",{\"text\":\"good\"}" | head -n 2000000 | tr -d "\n"; echo "]"; } | senti-ingest --source s | wc -l)' 0 <<'END'
2000001
END
t 'an array that ends too early is told' 'printf "[{\"text\":\"a\",\"id\":\"1\"}," | senti-ingest' 3 <<'END'
{"text":"a","id":"1"}
--- stderr
senti-ingest: cannot read 'stdin': its JSON array ends too early
END
t 'auto takes nothing for text that is plainly something else' 'mkdir -p other; printf "<?xml version=\"1.0\"?>\n" >other/xml; printf "PK\003\004..\n" >other/zip; printf "caf\351\n" >other/latin; printf "a\000b\n" >other/nul; printf "SQLite format 3\000" >other/db; for f in other/*; do senti-ingest $f; echo $?; done' 0 <<'END'
2
2
2
2
2
--- stderr
senti-ingest: 'other/db' is an SQLite database: export a table as CSV (sqlite3 -csv -header)
senti-ingest: 'other/latin' is not UTF-8: name its encoding (--encoding windows-1252), or its format (-F)
senti-ingest: 'other/nul' is not text: name its format (-F) if it is
senti-ingest: 'other/xml' is XML or HTML: take the texts out of it first, or say -F text for its lines
senti-ingest: 'other/zip' is a zip archive (perhaps a spreadsheet): unzip it, or export it as CSV
END
t 'but text that begins like it is text' 'printf "From here on\n" | senti-ingest | jq -r .text' 0 <<'END'
From here on
END

# --- rejects and replay ---

senti-ingest all.csv 2>rejects.jsonl >/dev/null
t 'reject: the lines come back as they were, after their header' 'senti-ingest -F reject rejects.jsonl' 0 <<'END'
id,text,"st,ars",,stars,stars
3,short
4,"unclosed,1,x,y,z
END
printf '{"text":"ok"\n{"text":"b\303"}\n' >bad.jsonl
t 'replay of JSON: every byte comes back, and what was mended goes through' \
	'senti-ingest bad.jsonl 2>rej >/dev/null; senti-ingest -F reject rej | cmp - bad.jsonl; senti-ingest -F reject rej | head -n 1 | sed "s/\$/}/" | senti-ingest -F json --source s | sed "s/[0-9a-f]\{32\}/H/"' 0 <<'END'
{"text":"ok","id":"H","source":"s"}
END
printf 'n,text\n1,"a\r\nb",c\n2,caf\351\n3,fine\n4,"x\n\ny"\n5\n' >rows.csv
t 'replay of CSV: rows over several lines and bytes that are not UTF-8 come back, and are the same rows' \
	'senti-ingest --id n rows.csv 2>rej >/dev/null; senti-ingest -F reject rej >again; printf "n,text\n1,\"a\r\nb\",c\n2,caf\351\n5\n" | cmp - again && senti-ingest --id n -F csv again 2>rej2; jq -s "map(.input//.input_base64)" rej >x; jq -s "map(.input//.input_base64)" rej2 | cmp - x && senti-ingest --id n -F csv --encoding utf-8,windows-1252 again 2>&1 | grep café' 0 <<'END'
{"id":"2","text":"café","source":"again"}
END
printf 'sep=;\nn;text\n1\n2;%2000s\n' x >sep.csv
t 'a row that was too long comes back after its header, and Excel'"'"'s line before that' \
	'senti-ingest --max-record 1K sep.csv 2>rej2 | wc -l; senti-ingest -F reject rej2 | cmp - sep.csv; senti-ingest -F reject rej2 | senti-ingest -F csv --id n 2>/dev/null | jq -r ".id, (.text | length)"' 0 <<'END'
0
2
2000
END
printf 'n;text\n1\n' >semi2.csv
t 'rows of two tables are no table' 'senti-ingest --delimiter ";" semi2.csv 2>>rej; senti-ingest -F reject rej 2>err | cmp - again; sed "s/,.tool.*//" err' 0 <<'END'
{"error":{"code":"bad_row","message":"the row has another header than those before it; replay its table by itself"
END
cat >mixed.rej <<'END'
{"error":{"code":"x"},"input":"one"}
{"error":{"code":"x"},"input":"a\nb"}
{"error":{"code":"x"},"input_base64":"dHdv"}
{"error":{"code":"x"},"input_base64":"d*dv"}
{"error":{"code":"x"},"input_base64":"dHdv","truncated":true}
{"error":{"code":"x"},"input":""}
{"text":"a record"}
no json
END
t 'reject: what cannot be given back, and why' 'senti-ingest mixed.rej -F reject 2>err; sed "s/.*code\":\"\([a-z0-9_]*\)\",\"message.*/\1/" err' 0 <<'END'
one
a
b
two
not_reject
too_long
bad_row
not_reject
bad_json
END
grep -v 'a.nb' mixed.rej >lines.rej
ok 'reject: the sums hold' sums senti-ingest -F reject lines.rej

# --- long lines, broken ends ---

head -c 104857600 /dev/zero | tr '\0' a >long
{
	echo text
	cat long
	echo
	echo ok
} >long.csv
t 'a line of 100 MiB: rejected whole, in bounded memory, and the next one is read' \
	'(bounded; senti-ingest --source s long.csv 2>rej) | sed "s/[0-9a-f]\{32\}/H/"; sed "s/,.line.*//" rej; sed -e "s/.*base64\":\"//" -e "s/\"}\$//" rej | base64 -d | cmp - long' 0 <<'END'
{"id":"H","text":"ok","source":"s"}
{"error":{"code":"too_long","message":"the line is longer than 1048576 bytes (--max-record)","tool":"senti-ingest"
END
rm -f long rej
{
	printf 'text\n"open\n'
	head -c 2000000 /dev/zero | tr '\0' a
	printf '\nok\n'
} >cut.csv
t 'a long line ends the row that is open' 'senti-ingest --source s cut.csv 2>rej | sed "s/[0-9a-f]\{32\}/H/"; sed "s/,.message.*//" rej' 0 <<'END'
{"id":"H","text":"ok","source":"s"}
{"error":{"code":"bad_row"
{"error":{"code":"too_long"
END
ok 'the sums hold with long lines' sums senti-ingest cut.csv long.csv
t 'a full disk is status 3' 'senti-ingest a.txt >/dev/full' 3 <<'END'
--- stderr
senti-ingest: cannot write to stdout: No space left on device
END
t 'so are rejects on a full disk' 'senti-ingest --reject /dev/full ragged.csv >/dev/null' 3 <<'END'
--- stderr
senti-ingest: cannot write to /dev/full: No space left on device
END
yes 'a line of text' | head -n 200000 >many.txt
t 'a closed pipe ends it quietly' '{ senti-ingest many.txt; echo $? >status; } | head -n 1 | wc -l; cat status' 0 <<'END'
1
141
END
t 'a missing file is status 3' 'senti-ingest missing.txt' 3 <<'END'
--- stderr
senti-ingest: cannot open 'missing.txt': No such file or directory
END
t 'input and output must differ' 'senti-ingest a.txt -o a.txt' 2 <<'END'
--- stderr
senti-ingest: 'a.txt' is both input and output
try 'senti-ingest --help'
END

t 'output among the files that a pattern finds' 'mkdir -p own; cd own; seq 3 >a.txt; : >out.txt; senti-ingest -F text *.txt >out.txt' 2 <<'END'
--- stderr
senti-ingest: 'out.txt' is both input and output
try 'senti-ingest --help'
END
t 'a file that is followed into itself' 'cd own; timeout 20 senti-ingest -F text --follow a.txt >>a.txt' 2 <<'END'
--- stderr
senti-ingest: 'a.txt' is both input and output
try 'senti-ingest --help'
END

# --- names that are not UTF-8 ---
latin=$(printf 'caf\351.txt')
echo good >"$latin"
t 'a file name that is not UTF-8 becomes a source that is' "senti-ingest -F text '$latin' | senti-score | jq -c '[.source, .sentiment.label]'" 0 <<'END'
["caf\\xe9.txt","positive"]
END
echo bad >"$(printf 'caf\350.txt')"
ok 'and its ids are those of its bytes' sh -c 'test "$(senti-ingest -F text caf*.txt | jq -r .id | sort -u | wc -l)" = 2'
for option in 'senti-ingest --source' 'senti-score --into' 'senti-score -f' 'senti-eval --label' 'senti-store query --source' 'senti-store query --text' 'senti-cache get --into'; do
	ok "$option takes UTF-8 only" sh -c "$option '$(printf 'a\351')' </dev/null 2>err; test \$? = 2 && grep -q 'takes UTF-8' err"
done

# --- auto ---

cp access.log unnamed
t 'auto: each file by its own name or first line' 'senti-ingest -q in.jsonl times.csv quotes.tsv plain.txt unnamed journal.json mixed.rej 2>/dev/null | wc -l' 0 <<'END'
21
END
t 'auto on stdin' 'for f in in.jsonl times.csv quotes.tsv plain.txt sys.log access.log journal.json mixed.rej; do senti-ingest <"$f" 2>/dev/null | wc -l; done' 0 <<'END'
4
4
4
3
3
1
1
4
END
t 'auto: a text with commas is a text' 'printf "Well, I like it\nYou, too\n" | senti-ingest | wc -l' 0 <<'END'
2
END
t 'auto: --text makes it CSV' 'printf "a,b\n1,fine\n" | senti-ingest --text b | grep -c "\"text\":\"fine\""' 0 <<'END'
1
END
t 'auto: compressed and UTF-16 files cannot be followed' 'printf "\037\213x\n" >c; printf "\377\376t\000\n" >u.csv; senti-ingest --follow c; senti-ingest --follow u.csv' 2 <<'END'
--- stderr
senti-ingest: 'c' is compressed: --follow cannot read it; zcat it into senti-ingest
senti-ingest: 'u.csv' is UTF-16: convert it first: iconv -f UTF-16 -t UTF-8
END

# --- mistakes ---

for args in '-F xml' '-F csv --pattern common' '-F json --no-header' '--delimiter ab' '--text a --id a' '--rate 0' '--rate 5/x' '--follow' '--follow -' 'kafka:queue' '-F text --text a' '-F reject --source s'; do
	# shellcheck disable=SC2086
	ok "usage: $args" sh -c 'echo x | senti-ingest "$@" >out 2>err; [ $? -eq 2 ] && [ ! -s out ] && [ -s err ]' sh $args
done

finish
