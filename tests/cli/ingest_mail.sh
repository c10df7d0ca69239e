#!/bin/sh
# senti-ingest -F mbox and Maildirs: messages, what is rejected, every byte back, and hostile ones.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

from='From ann@example.org Fri Nov 27 10:00:00 2026'

# GMime is loaded; what it is called for is said without it.
mkdir absent
: >absent/libgmime-3.0.so.0
printf '%s\n\nx\n' "$from" >one.mbox
t 'without GMime: what is missing' 'LD_LIBRARY_PATH=absent senti-ingest one.mbox 2>&1 | sed "s/): .*/)/"' 0 <<'END'
senti-ingest: mail needs GMime (Debian: libgmime-3.0-0)
END
if senti-ingest one.mbox 2>&1 | grep -q 'needs GMime'; then
	skip 'mail' 'GMime is not installed'
	finish
fi

cat >a.mbox <<END
$from
From: =?utf-8?q?Ann_M=C3=BCller?= <ann@example.org>
To: bob@example.org
Subject: =?iso-8859-1?q?caf=E9?=
 and more
Date: Fri, 27 Nov 2026 11:00:00 +0100 (CET)
Message-ID: <1@example.org>
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

I love the caf=E9, a long =
line.
>From here on
>>From there

From here it is body: no time follows.

$from
Subject: parts
Content-Type: multipart/mixed; boundary=o

--o
Content-Type: text/plain
Content-Disposition: attachment; filename=x.txt

attached
--o
Content-Type: multipart/alternative; boundary=i

--i
Content-Type: text/html

<b>I hate it</b>
--i
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: base64

SSBoYXRlIGl0Lg0KUmVhbGx5Lg0K
--i--
--o--

$from
Subject: only HTML
Content-Type: text/html

<b>good &amp; bad</b>
END
t 'mbox: headers and texts are decoded, >From is unquoted, plain text is taken before HTML' 'senti-ingest --source s a.mbox | sed "s/\"id\":\"[0-9a-f]\{32\}\"/\"id\":H/"' 0 <<'END'
{"id":"1@example.org","text":"I love the café, a long line.\nFrom here on\n>From there\n\nFrom here it is body: no time follows.","time":"2026-11-27T10:00:00.000Z","source":"s","from":"Ann Müller <ann@example.org>","to":"bob@example.org","subject":"café and more","message_id":"1@example.org","content_type":"text/plain"}
{"id":H,"text":"I hate it.\nReally.","source":"s","subject":"parts","content_type":"text/plain"}
{"id":H,"text":"<b>good &amp; bad</b>","source":"s","subject":"only HTML","content_type":"text/html"}
END
t 'from a pipe, by -F, compressed and with CRLF: the same' 'senti-ingest --source s --id-path p a.mbox >want; gzip -c a.mbox | senti-ingest --source s --id-path p | cmp - want; sed "s/\$/\r/" a.mbox | senti-ingest -F mbox --source s --id-path p | cmp - want' 0
t '--text and --unescape' 'senti-ingest --text subject a.mbox | jq -r .text; senti-ingest --unescape html a.mbox | jq -r .text | tail -n 1' 0 <<'END'
café and more
parts
only HTML
<b>good & bad</b>
END

# --- charsets ---
message() { # message HEADER BODY (both as for printf)
	# shellcheck disable=SC2059
	printf "$from\n$1\n\n$2\n\n"
}
{
	message 'Content-Type: text/plain; charset=windows-1252' 'caf\351 \200'
	message 'Subject: none said' 'caf\303\251'
	message 'Subject: none said' 'caf\351'
	message 'Content-Type: text/plain; charset=us-ascii' 'caf\303\251'
	message 'Content-Type: text/plain; charset=x-unknown/../x' 'caf\351'
	message 'Content-Type: text/plain; charset="a,b"' 'caf\351'
	message 'Content-Type: text/plain; charset=iso-2022-jp' '\033$B0l\033(B'
} >charsets.mbox
t 'the charset that a part names, else UTF-8, else windows-1252' 'senti-ingest charsets.mbox | jq -r .text' 0 <<'END'
café €
café
café
café
café
café
一
END

# --- rejects ---
bad() { # bad [MESSAGE]: with a good one in the middle
	printf 'lost\nlines\n\n'
	message 'Subject: image\nContent-Type: image/png' 'xx'
	message 'Subject: nul' 'a\000b'
	message 'Subject: a\000b' 'x'
	message 'Date: yesterday' 'x'
	message 'Subject: \201\nContent-Type: text/plain; charset=utf-8' 'x\201'
	printf '%s' "$1"
	printf '%s\n\n' "$from"
}
bad "$(message 'Subject: fine' 'good')

" >bad.mbox
bad '' >bad.want
t 'rejects say why, and give every byte back' "senti-ingest bad.mbox 2>rej | jq -r .text; jq -r '\"\(.error.code) \(.error.line)\"' rej; senti-ingest -F reject rej | cmp - bad.want; senti-ingest -F mbox bad.want 2>&1 | jq -c '[.input,.input_base64]' >x; jq -c '[.input,.input_base64]' rej | cmp - x" 0 <<'END'
good
bad_mail 1
no_text 4
nul 10
nul 15
bad_time 20
bad_utf8 25
bad_mail 36
END
t 'in = out + rejected' 'senti-ingest --summary bad.mbox charsets.mbox a.mbox 2>&1 >/dev/null | tail -n 1 | grep -o "\"in\".*d\":[0-9]*"' 0 <<'END'
"in":18,"out":11,"rejected":7
END
{
	message 'Subject: long' "$(seq 20000)"
	message 'Subject: fine' 'good'
	message 'Subject: long line' "$(printf '%0100000d' 0)"
	message 'Subject: fine' 'bad'
} >long.mbox
t 'a message that is too long is a reject; those after it are read' "senti-ingest --max-record 64K long.mbox 2>rej | jq -r .text; jq -r .error.code rej; senti-ingest -F reject rej | senti-ingest | jq .subject" 0 <<'END'
good
bad
too_long
too_long
too_long
"long"
"long line"
END
{
	printf '%s\n' "$from"
	seq 15000 | sed 's/.*/Content-Type: multipart\/mixed; boundary=&\n\n--&/'
	printf '\n%s\n' "$from"
	seq 20000 | sed 's/.*/Content-Type: message\/rfc822\n/'
	printf '\n%s\nContent-Type: message/rfc822\n\nTo: ' "$from"
	yes a, | head -n 200000 | tr -d '\n'
	printf '\n\n%s\n' "$from"
	yes 'a:' | head -n 100000
	printf '\n%s\nTo: ' "$from"
	yes a, | head -n 60000 | tr -d '\n'
	printf '\n\nfine\n\n%s\nContent-Type: multipart/mixed; boundary=b\n\n' "$from"
	yes -- --b | head -n 200000
	printf '\n%s\nSubject: open\nContent-Transfer-Encoding: base64\n\n!!!!Zm' "$from"
} >hostile.mbox
t 'hostile messages cost no more than others' "timeout 60 senti-ingest hostile.mbox 2>rej | jq -c '[.subject,.text]'; jq -r .error.code rej" 0 <<'END'
[null,"fine"]
["open",""]
no_text
no_text
too_long
too_long
no_text
END

# --- Maildirs ---
mkdir -p Mail/cur Mail/new Mail/tmp
printf 'Subject: a\nMessage-ID: <m1@x>\n\ngood\nFrom x Fri Nov 27 10:00:00 2026\n' >Mail/cur/100.x:2,S
printf 'Subject: b\r\n\r\nbad\r\n' >Mail/new/099.y
printf 'half' >Mail/tmp/101.z
t 'a Maildir is found: each file of new and cur is a message' 'senti-ingest Mail | tee out | jq -c "[.source,.subject,.text]"' 0 <<'END'
["Mail","b","bad"]
["Mail","a","good\nFrom x Fri Nov 27 10:00:00 2026"]
END
mv Mail/new/099.y Mail/cur/099.y:2,RS
t 'ids stay when a message is read' 'senti-ingest -F maildir Mail | cmp - out' 0
t 'among other inputs' 'printf "text\nx\n" >x.csv; senti-ingest x.csv Mail one.mbox | jq -c .text' 0 <<'END'
"x"
"bad"
"good\nFrom x Fri Nov 27 10:00:00 2026"
"x"
END
mkdir -p Empty/cur Empty/new Empty/tmp
t 'an empty one is empty input' 'senti-ingest --exit-if-empty Empty' 99
t 'what mail is not for' 'senti-ingest -F csv Mail; senti-ingest -F maildir one.mbox; senti-ingest --follow Mail; senti-ingest --encoding utf-8 one.mbox; senti-ingest --join x -F mbox one.mbox; senti-ingest --pattern syslog Mail' 2 <<'END'
--- stderr
senti-ingest: 'Mail' is a Maildir, not for -F csv
try 'senti-ingest --help'
senti-ingest: 'one.mbox' is not a Maildir: it has no folders cur and new
try 'senti-ingest --help'
senti-ingest: --follow needs files, and 'Mail' is a Maildir
try 'senti-ingest --help'
senti-ingest: --encoding is not for mail: each message names its own
senti-ingest: --join is for text and logs, not for mbox
try 'senti-ingest --help'
senti-ingest: 'Mail' is a Maildir, not for -F log
try 'senti-ingest --help'
END
finish
