#!/bin/sh
# The lexicons pass their lint, and each check of the lint fires on a file that breaks it.
. "$(dirname "$0")/lib.sh"

# faulty NAME MESSAGE CONTENT: linting CONTENT (a printf format) ends with status 1 and exactly the one line FILE:MESSAGE.
faulty() {
	# shellcheck disable=SC2059
	printf "$3" >t.tsv
	t "$1" '"$root"/scripts/lint-lexicons t.tsv' 1 <<END
--- stderr
t.tsv:$2
END
}

clean() { # clean NAME CONTENT
	# shellcheck disable=SC2059
	printf "$2" >t.tsv
	t "$1" '"$root"/scripts/lint-lexicons t.tsv' 0 <<END
END
}

t 'the lexicons are clean' '"$root"/scripts/lint-lexicons' 0 <<END
END
clean "numbers" 'bad\t-2.5\ngood\t1.9\nokay\t1\n'
clean "comments, and a key that begins with #" '# mine\n#fail\t-2\n#win\t2\n'
clean "a key column alone" '# columns: key\nnever\nnot\n'
clean "text of all planes" '# columns: key text\n\303\251\te acute\n\342\202\254\teuro\n\360\237\230\200\tface\n'

clean "several numbers" '# columns: key numbers\na\t1\t0.5\nb\t-1\t0\n'
faulty "one number too few" '3: missing tab' '# columns: key numbers\na\t1\t0.5\nb\t1\n'
faulty "one number too many" '3: too many tabs' '# columns: key numbers\na\t1\t0.5\nb\t1\t0\t1\n'
faulty "a later column is not a number" '2: "x" is not a decimal number' '# columns: key numbers\na\t1\tx\n'

faulty "duplicate" '2: duplicate of line 1' 'a\t1\na\t2\n'
faulty "duplicate further on" '3: duplicate of line 1' 'a\t1\nb\t2\na\t2\n'
faulty "order" '2: not in byte order' 'b\t1\na\t1\n'
faulty "order by bytes, not by letters" '2: not in byte order' 'a\t1\nB\t1\n'
faulty "order of numbers as text" '2: not in byte order' '9\t1\n10\t1\n'
faulty "missing tab" '1: missing tab' 'good 1.9\n'
faulty "too many tabs" '1: too many tabs' 'good\t1.9\t0.1\n'
faulty "NaN" '1: "nan" is not a decimal number' 'good\tnan\n'
faulty "infinity" '1: "-inf" is not a decimal number' 'good\t-inf\n'
faulty "hexadecimal" '1: "0x1p3" is not a decimal number' 'good\t0x1p3\n'
faulty "decimal comma" '1: "1,9" is not a decimal number' 'good\t1,9\n'
faulty "trailing blank" '2: blank at the end of the line' '# columns: key text\n:)\tsmile \n'
faulty "carriage return" '1: carriage return' 'good\t1.9\r\n'
faulty "empty line" '2: empty line' 'a\t1\n\nb\t1\n'
faulty "empty key" '1: empty key' '\t1.9\n'
faulty "blank before the key" '1: blank around the key' ' good\t1.9\n'
faulty "blank behind the key" '1: blank around the key' 'good \t1.9\n'
faulty "stray continuation byte" '1: invalid UTF-8' 'a\200\t1\n'
faulty "overlong form" '1: invalid UTF-8' 'a\300\200\t1\n'
faulty "surrogate" '1: invalid UTF-8' 'a\355\240\200\t1\n'
faulty "beyond U+10FFFF" '1: invalid UTF-8' 'a\364\220\200\200\t1\n'
faulty "cut sequence" '1: invalid UTF-8' 'a\360\237\230\t1\n'
faulty "Latin-1" '1: invalid UTF-8' 'caf\351\t1\n'
faulty "NUL" ' NUL byte' 'a\000b\t1\n'
faulty "no last line end" ' no line end at the end' 'a\t1'
faulty "unknown columns" '1: unknown columns "word value", expected "key", "key number", "key numbers" or "key text"' '# columns: word value\na\t1\n'
faulty "nothing in it" '1: no entries' '# only a comment\n'

t 'a missing file' '"$root"/scripts/lint-lexicons absent.tsv' 1 <<END
--- stderr
absent.tsv: cannot be read
END

python=${PYTHON:-$root/build/venv/bin/python}
given() { # given MODULE FOLDER
	if "$python" -c "import $1" 2>/dev/null; then
		ok "lexicons/$2 is what the package gives" "$python" "$root/scripts/build-lexicons" --check "$2"
	fi
}
given vaderSentiment vader
given textblob textblob
given nltk nltk
given afinn afinn
finish
