#!/bin/sh
# Tables: senti-store query and stats --format, senti-score --csv, and labels back from a spreadsheet.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

cat >five.jsonl <<'END'
{"id":"1","text":"I love it","time":"2024-05-01T10:00:00Z","source":"shop","product":"chair","stars":5}
{"id":"2","text":"=1+1 is \"bad\",\nreally; bad","time":"2024-05-01T11:00:00Z","source":"shop","product":"a|b","tags":["x",1]}
{"id":"-3","text":"so so","source":"mail","product":"@chair","label":"neutral","ok":true}
{"id":"4","text":"terrible","time":"2024-06-30T23:30:00Z","source":"mail","product":"chair","stars":null}
END
senti-score five.jsonl | senti-store >scored.jsonl
model=$(senti-score -e x | sed 's/.*"model":"\([^"]*\)".*/\1/')

t 'CSV: known columns, the others in their order, the result' "senti-store query --format csv | sed 's/$model/M/'" 0 <<'END'
id,time,source,text,product,stars,tags,.label,ok,label,score,neg,neu,pos,model,version
1,2024-05-01T10:00:00.000Z,shop,I love it,chair,5,,,,positive,0.6369,0,0.323,0.677,M,1
2,2024-05-01T11:00:00.000Z,shop,"'=1+1 is ""bad"",
really; bad",a|b,,"[""x"",1]",,,negative,-0.807,0.709,0.291,0,M,2
4,2024-06-30T23:30:00.000Z,mail,terrible,chair,,,,,negative,-0.4767,1,0,0,M,4
'-3,,mail,so so,'@chair,,,neutral,true,neutral,0,0,1,0,M,3
END
t 'chosen columns' 'senti-store query --order score --limit 2 --format csv --columns "score, label,product,text"' 0 <<'END'
score,label,product,text
-0.807,negative,a|b,"'=1+1 is ""bad"",
really; bad"
-0.4767,negative,chair,terrible
END
t 'as they are' 'senti-store query --where product=@chair --format csv --raw --columns id,product,sentiment.label' 0 <<'END'
id,product,sentiment.label
-3,@chair,neutral
END
t 'TSV' 'senti-store query --limit 2 --format tsv --columns id,text,stars' 0 <<'END'
id	text	stars
1	I love it	5
2	"'=1+1 is ""bad"",
really; bad"	
END
t 'Markdown' 'senti-store query --limit 2 --format markdown --columns id,product,text' 0 <<'END'
| id | product | text |
| --- | --- | --- |
| 1 | chair | I love it |
| 2 | a\|b | =1+1 is "bad",<br>really; bad |
END
t 'flat JSON' 'senti-store query --limit 2 --columns id,label,stars,tags' 0 <<'END'
{"id":"1","label":"positive","stars":5,"tags":null}
{"id":"2","label":"negative","stars":null,"tags":["x",1]}
END
t 'no records: the header alone' 'senti-store query --source none --format csv --columns id,score; senti-store query --source none --format csv' 0 <<'END'
id,score
id,time,source,text,version
END
t 'a column that no record has' 'senti-store query --format csv --columns id,prodct --limit 1' 0 <<'END'
id,prodct
1,
--- stderr
senti-store: warning: no record has this column column=prodct
END
t 'later records with more members' 'senti-store query -b 1 --limit 2 --format csv 2>&1 >out | cat; head -n 1 out' 0 <<'END'
senti-store: warning: records have members that no column shows (--columns names them) records=1
id,time,source,text,product,stars,label,score,neg,neu,pos,model,version
END
t 'an empty name' 'senti-store query --format csv --columns id,,text' 2 <<'END'
--- stderr
senti-store: --columns takes names with commas between, none of them empty
try 'senti-store --help'
END
t 'the trend of products by months' 'senti-store stats --by product,month --tz Europe/Berlin --format csv' 0 <<'END'
product,month,count,mean,stdev,positive,neutral,negative
a|b,2024-05,1,-0.807,0,0,0,1
chair,2024-05,1,0.6369,0,1,0,0
chair,2024-07,1,-0.4767,0,0,0,1
END
t 'by labels and weeks' 'senti-store stats --by label,week --format tsv --columns week,label,count' 0 <<'END'
week	label	count
2024-04-29	negative	1
2024-04-29	positive	1
2024-06-24	negative	1
END
t 'of all' 'senti-store stats --format markdown' 0 <<'END'
| count | mean | stdev | positive | neutral | negative |
| --- | --- | --- | --- | --- | --- |
| 4 | -0.1617 | 0.543035 | 1 | 1 | 2 |
END
t 'a full disk' 'senti-store query --format csv >/dev/full' 3 <<'END'
--- stderr
senti-store: cannot write to stdout: No space left on device
END

# --- senti-score --csv ---
t 'scored texts' "senti-score --csv -e 'I love it' -e '-1' -e ' +x' | sed 's/$model/M/'" 0 <<'END'
text,label,score,neg,neu,pos,model
I love it,positive,0.6369,0,0.323,0.677,M
'-1,neutral,0,0,1,0,M
' +x,neutral,0,0,1,0,M
END
t 'records, their columns' 'senti-score --csv --columns id,label,.label five.jsonl' 0 <<'END'
id,label,.label
1,positive,
2,negative,
'-3,neutral,neutral
4,negative,
END
t 'the result in another member' 'senti-score --into own five.jsonl | senti-score -m afinn:en --csv --columns id,score,sentiment.label,own' 0 <<END
id,score,sentiment.label,own
$(senti-score --into own five.jsonl | senti-score -m afinn:en | jq -r '[(.id | if . == "-3" then "'"'"'-3" else . end), (.sentiment.score | tostring), .sentiment.label, "\"" + (.own | tostring | gsub("\""; "\"\"")) + "\""] | join(",")')
END
t 'rejects are no rows' '{ echo "{}"; head -n 1 five.jsonl; } | senti-score --csv --columns id,label 2>/dev/null' 1 <<'END'
id,label
1,positive
END
awk 'BEGIN { for (i = 0; i < 5000; i++) printf "{\"id\":\"%d\",\"text\":\"good %d\"}\n", i, i }' >many.jsonl
ok 'in order with several threads' eval 'senti-score --csv many.jsonl >one; senti-score -j2 -b 7 --csv many.jsonl >two; cmp one two && [ "$(wc -l <one)" -eq 5001 ]'
t 'options of --csv alone' 'senti-score --raw -e x' 2 <<'END'
--- stderr
senti-score: --columns and --raw are for --csv
try 'senti-score --help'
END
ok 'read again, a table gives the same records' eval 'senti-store query --format csv --raw --columns id,text >t.csv; senti-ingest -F csv t.csv | jq -c "[.id,.text]" >a; senti-store query | jq -c "[.id,.text]" >b; cmp a b'

# --- the dashboard's rule: what csvLine of web/dashboard/csv.js makes of these ---
cat >tricky.jsonl <<'END'
{"text":"plain"}
{"text":"=1"}
{"text":"+1"}
{"text":"-1"}
{"text":"@x"}
{"text":"\t=1"}
{"text":"\rx"}
{"text":"\nx"}
{"text":" =1"}
{"text":"\u00a0\u3000-1"}
{"text":"\ufeff@x"}
{"text":"  x=1"}
{"text":" \n \r+1"}
{"text":"a;b"}
{"text":"a\tb"}
{"text":"a\"b"}
{"text":"'=1"}
{"text":"é=1"}
{"text":" é=1"}
{"text":"🙂"}
{"text":"1,5"}
END
t 'what a spreadsheet would take for a formula, and what it would cut' 'senti-score --csv --columns text tricky.jsonl | tail -n +2 | LC_ALL=C sed -n l' 0 <<'END'
plain$
'=1$
'+1$
'-1$
'@x$
"'\t=1"$
"'\rx"$
"'$
x"$
' =1$
'\302\240\343\200\200-1$
'\357\273\277@x$
  x=1$
"' $
 \r+1"$
"a;b"$
"a\tb"$
"a""b"$
'=1$
\303\251=1$
 \303\251=1$
\360\237\231\202$
"1,5"$
END
if command -v node >node.path; then # which a machine for these tests need not have
	cat >rule.mjs <<'END'
import { csvLine } from './csv.mjs';
import { readFileSync } from 'node:fs';
const end = new RegExp(String.raw`\r\n$`);
for (const line of readFileSync('tricky.jsonl', 'utf8').trim().split('\n')) process.stdout.write(csvLine([JSON.parse(line).text]).replace(end, '\n'));
END
	cp "$root/web/dashboard/csv.js" csv.mjs
	ok 'cells are those of the dashboard' eval 'node rule.mjs >want; senti-score --csv --columns text tricky.jsonl | tail -n +2 >got; diff want got'
fi

# --- labels back ---
printf '\357\273\277Text;Label;ID\r\n"a;b";negative ;1\r\nx;positive;2\r\ny;positive;'"'"'-3\r\n' >labels.csv
t 'labels from a spreadsheet' 'senti-store correct -i labels.csv | jq -c "[.id,.sentiment.label,.sentiment.corrected]"' 0 <<'END'
["1","negative",true]
["2","positive",true]
["-3","positive",true]
END
t 'from stdin, with tabs' "printf 'id\tlabel\n1\tpositive\n' | senti-store correct --csv | jq -c '[.id,.sentiment.label,.sentiment.corrected]'" 0 <<'END'
["1","positive",null]
END
t 'what cannot be' "printf 'id,label\n9,positive\n1,good\n1\n5.70306E+17,neutral\n' | senti-store correct --csv 2>&1 | jq -c '[.error.code,.error.line]'" 0 <<'END'
["not_found",2]
["bad_label",3]
["bad_row",4]
["not_found",5]
END
t 'columns that are not there' "printf 'key,label\n1,positive\n' | senti-store correct --csv" 2 <<'END'
--- stderr
senti-store: stdin: the first line names no column 'id'; it must name id and label
END
t 'a number is an id as it is spelled' 'echo "{\"id\":4,\"label\":\"neutral\"}" | senti-store correct | jq -c "[.id,.sentiment.label]"
	echo "{\"id\":4}" | senti-store get | jq -r .id; echo "{\"id\":4.0}" | senti-store get 2>&1 | jq -r .error.code
	echo "{\"id\":[4]}" | senti-store get 2>&1 | jq -r .error.message' 0 <<'END'
["4","neutral"]
4
not_found
member 'id' is neither a string nor a number
END
finish
