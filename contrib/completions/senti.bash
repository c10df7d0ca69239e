# Completion of bash; written by scripts/build-completions.
# shellcheck shell=bash

_senti()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} tool=${COMP_WORDS[0]##*/} words commands=
	COMPREPLY=()
	[[ $cur == = ]] && cur=
	[[ $prev == = ]] && prev=${COMP_WORDS[COMP_CWORD - 2]}
	case "$tool $prev" in
	senti-score\ --model | senti-score\ -m) words='' ;;
	senti-score\ --expression | senti-score\ -e) words='' ;;
	senti-score\ --field | senti-score\ -f) words='' ;;
	senti-score\ --into) words='' ;;
	senti-score\ --columns) words='' ;;
	senti-score\ --lexicon) words='' ;;
	senti-score\ --neutral) words='' ;;
	senti-score\ --from | senti-score\ -i) words='' ;;
	senti-score\ --to | senti-score\ -o) words='' ;;
	senti-score\ --jobs | senti-score\ -j) words='' ;;
	senti-score\ --batch | senti-score\ -b) words='' ;;
	senti-score\ --wait | senti-score\ -w) words='' ;;
	senti-score\ --reject) words='' ;;
	senti-score\ --max-record) words='' ;;
	senti-score\ --max-rejects) words='' ;;
	senti-score\ --metrics) words='' ;;
	senti-score\ --host) words='' ;;
	senti-score\ --idle) words='' ;;
	senti-score\ --pack) words='' ;;
	senti-score\ --retry) words='' ;;
	senti-score\ --drain) words='' ;;
	senti-score\ --log-format) words='logfmt json' ;;
	senti-ingest\ --format | senti-ingest\ -F) words='csv tsv text json log reject auto' ;;
	senti-ingest\ --text) words='' ;;
	senti-ingest\ --id) words='' ;;
	senti-ingest\ --time) words='' ;;
	senti-ingest\ --time-format) words='' ;;
	senti-ingest\ --source) words='' ;;
	senti-ingest\ --id-by) words='' ;;
	senti-ingest\ --id-path) words='' ;;
	senti-ingest\ --id-prefix) words='' ;;
	senti-ingest\ --id-scheme) words='' ;;
	senti-ingest\ --delimiter) words='' ;;
	senti-ingest\ --encoding) words='' ;;
	senti-ingest\ --unescape) words='' ;;
	senti-ingest\ --pattern) words='common combined syslog journal' ;;
	senti-ingest\ --join) words='' ;;
	senti-ingest\ --rotate-wait) words='' ;;
	senti-ingest\ --rate) words='' ;;
	senti-ingest\ --from | senti-ingest\ -i) words='' ;;
	senti-ingest\ --to | senti-ingest\ -o) words='' ;;
	senti-ingest\ --batch | senti-ingest\ -b) words='' ;;
	senti-ingest\ --wait | senti-ingest\ -w) words='' ;;
	senti-ingest\ --reject) words='' ;;
	senti-ingest\ --max-record) words='' ;;
	senti-ingest\ --max-rejects) words='' ;;
	senti-ingest\ --metrics) words='' ;;
	senti-ingest\ --host) words='' ;;
	senti-ingest\ --idle) words='' ;;
	senti-ingest\ --pack) words='' ;;
	senti-ingest\ --retry) words='' ;;
	senti-ingest\ --drain) words='' ;;
	senti-ingest\ --log-format) words='logfmt json' ;;
	senti-store\ --label) words='positive neutral negative' ;;
	senti-store\ --source) words='' ;;
	senti-store\ --since) words='' ;;
	senti-store\ --until) words='' ;;
	senti-store\ --text) words='' ;;
	senti-store\ --model) words='' ;;
	senti-store\ --not-model) words='' ;;
	senti-store\ --score-above) words='' ;;
	senti-store\ --score-below) words='' ;;
	senti-store\ --where) words='' ;;
	senti-store\ --after) words='' ;;
	senti-store\ --limit) words='' ;;
	senti-store\ --sample) words='' ;;
	senti-store\ --order) words='oldest newest id score -score' ;;
	senti-store\ --format) words='csv tsv text json log reject auto' ;;
	senti-store\ --columns) words='' ;;
	senti-store\ --by) words='' ;;
	senti-store\ --step) words='' ;;
	senti-store\ --tz) words='' ;;
	senti-store\ --dead) words='' ;;
	senti-store\ --from | senti-store\ -i) words='' ;;
	senti-store\ --to | senti-store\ -o) words='' ;;
	senti-store\ --store) words='' ;;
	senti-store\ --batch | senti-store\ -b) words='' ;;
	senti-store\ --wait | senti-store\ -w) words='' ;;
	senti-store\ --reject) words='' ;;
	senti-store\ --max-record) words='' ;;
	senti-store\ --max-rejects) words='' ;;
	senti-store\ --metrics) words='' ;;
	senti-store\ --host) words='' ;;
	senti-store\ --idle) words='' ;;
	senti-store\ --pack) words='' ;;
	senti-store\ --retry) words='' ;;
	senti-store\ --drain) words='' ;;
	senti-store\ --log-format) words='logfmt json' ;;
	senti-eval\ --model | senti-eval\ -m) words='' ;;
	senti-eval\ --field | senti-eval\ -f) words='' ;;
	senti-eval\ --label) words='' ;;
	senti-eval\ --map) words='' ;;
	senti-eval\ --result) words='' ;;
	senti-eval\ --seed) words='' ;;
	senti-eval\ --state) words='' ;;
	senti-eval\ --min-f1) words='' ;;
	senti-eval\ --from | senti-eval\ -i) words='' ;;
	senti-eval\ --to | senti-eval\ -o) words='' ;;
	senti-eval\ --batch | senti-eval\ -b) words='' ;;
	senti-eval\ --wait | senti-eval\ -w) words='' ;;
	senti-eval\ --reject) words='' ;;
	senti-eval\ --max-record) words='' ;;
	senti-eval\ --max-rejects) words='' ;;
	senti-eval\ --metrics) words='' ;;
	senti-eval\ --host) words='' ;;
	senti-eval\ --idle) words='' ;;
	senti-eval\ --pack) words='' ;;
	senti-eval\ --retry) words='' ;;
	senti-eval\ --drain) words='' ;;
	senti-eval\ --log-format) words='logfmt json' ;;
	senti-train\ --output | senti-train\ -o) words='' ;;
	senti-train\ --field | senti-train\ -f) words='' ;;
	senti-train\ --label) words='' ;;
	senti-train\ --map) words='' ;;
	senti-train\ --folds) words='' ;;
	senti-train\ --test) words='' ;;
	senti-train\ --seed) words='' ;;
	senti-train\ --class-weights) words='balanced none' ;;
	senti-train\ --words) words='' ;;
	senti-train\ --letters) words='' ;;
	senti-train\ --lexicon-gain) words='' ;;
	senti-train\ --hash-bits) words='' ;;
	senti-train\ --min-texts) words='' ;;
	senti-train\ --state) words='' ;;
	senti-train\ --cost) words='' ;;
	senti-train\ --from | senti-train\ -i) words='' ;;
	senti-train\ --batch | senti-train\ -b) words='' ;;
	senti-train\ --wait | senti-train\ -w) words='' ;;
	senti-train\ --reject) words='' ;;
	senti-train\ --max-record) words='' ;;
	senti-train\ --max-rejects) words='' ;;
	senti-train\ --metrics) words='' ;;
	senti-train\ --host) words='' ;;
	senti-train\ --idle) words='' ;;
	senti-train\ --pack) words='' ;;
	senti-train\ --retry) words='' ;;
	senti-train\ --drain) words='' ;;
	senti-train\ --log-format) words='logfmt json' ;;
	senti-window\ --every) words='' ;;
	senti-window\ --of) words='' ;;
	senti-window\ --gap) words='' ;;
	senti-window\ --tz) words='' ;;
	senti-window\ --by) words='' ;;
	senti-window\ --late) words='' ;;
	senti-window\ --ahead) words='' ;;
	senti-window\ --idle-close) words='' ;;
	senti-window\ --half-life) words='' ;;
	senti-window\ --terms) words='' ;;
	senti-window\ --result) words='' ;;
	senti-window\ --dedupe) words='' ;;
	senti-window\ --alert) words='' ;;
	senti-window\ --clear) words='' ;;
	senti-window\ --state) words='' ;;
	senti-window\ --memory) words='' ;;
	senti-window\ --from | senti-window\ -i) words='' ;;
	senti-window\ --to | senti-window\ -o) words='' ;;
	senti-window\ --batch | senti-window\ -b) words='' ;;
	senti-window\ --wait | senti-window\ -w) words='' ;;
	senti-window\ --reject) words='' ;;
	senti-window\ --max-record) words='' ;;
	senti-window\ --max-rejects) words='' ;;
	senti-window\ --metrics) words='' ;;
	senti-window\ --host) words='' ;;
	senti-window\ --idle) words='' ;;
	senti-window\ --pack) words='' ;;
	senti-window\ --retry) words='' ;;
	senti-window\ --drain) words='' ;;
	senti-window\ --log-format) words='logfmt json' ;;
	senti-worker\ --queue | senti-worker\ -q) words='' ;;
	senti-worker\ --to | senti-worker\ -o) words='' ;;
	senti-worker\ --jobs | senti-worker\ -j) words='' ;;
	senti-worker\ --timeout) words='' ;;
	senti-worker\ --max-failures) words='' ;;
	senti-worker\ --rotate-wait) words='' ;;
	senti-worker\ --state) words='' ;;
	senti-worker\ --from | senti-worker\ -i) words='' ;;
	senti-worker\ --batch | senti-worker\ -b) words='' ;;
	senti-worker\ --wait | senti-worker\ -w) words='' ;;
	senti-worker\ --reject) words='' ;;
	senti-worker\ --max-record) words='' ;;
	senti-worker\ --max-rejects) words='' ;;
	senti-worker\ --metrics) words='' ;;
	senti-worker\ --host) words='' ;;
	senti-worker\ --idle) words='' ;;
	senti-worker\ --pack) words='' ;;
	senti-worker\ --retry) words='' ;;
	senti-worker\ --drain) words='' ;;
	senti-worker\ --log-format) words='logfmt json' ;;
	senti-cache\ --model | senti-cache\ -m) words='' ;;
	senti-cache\ --field | senti-cache\ -f) words='' ;;
	senti-cache\ --into) words='' ;;
	senti-cache\ --expression | senti-cache\ -e) words='' ;;
	senti-cache\ --reader) words='' ;;
	senti-cache\ --sample) words='' ;;
	senti-cache\ --from | senti-cache\ -i) words='' ;;
	senti-cache\ --to | senti-cache\ -o) words='' ;;
	senti-cache\ --store) words='' ;;
	senti-cache\ --cache) words='' ;;
	senti-cache\ --ttl) words='' ;;
	senti-cache\ --batch | senti-cache\ -b) words='' ;;
	senti-cache\ --wait | senti-cache\ -w) words='' ;;
	senti-cache\ --reject) words='' ;;
	senti-cache\ --max-record) words='' ;;
	senti-cache\ --max-rejects) words='' ;;
	senti-cache\ --metrics) words='' ;;
	senti-cache\ --host) words='' ;;
	senti-cache\ --idle) words='' ;;
	senti-cache\ --pack) words='' ;;
	senti-cache\ --retry) words='' ;;
	senti-cache\ --drain) words='' ;;
	senti-cache\ --log-format) words='logfmt json' ;;
	senti-serve\ --listen | senti-serve\ -l) words='' ;;
	senti-serve\ --model | senti-serve\ -m) words='' ;;
	senti-serve\ --lexicon) words='' ;;
	senti-serve\ --queue) words='' ;;
	senti-serve\ --pending-ttl) words='' ;;
	senti-serve\ --reader) words='' ;;
	senti-serve\ --jobs | senti-serve\ -j) words='' ;;
	senti-serve\ --io-threads) words='' ;;
	senti-serve\ --memory) words='' ;;
	senti-serve\ --spool) words='' ;;
	senti-serve\ --max-waiting) words='' ;;
	senti-serve\ --max-body) words='' ;;
	senti-serve\ --max-items) words='' ;;
	senti-serve\ --tokens) words='' ;;
	senti-serve\ --new-token) words='' ;;
	senti-serve\ --host) words='' ;;
	senti-serve\ --cors) words='' ;;
	senti-serve\ --graphql-tokens) words='' ;;
	senti-serve\ --graphql-depth) words='' ;;
	senti-serve\ --graphql-aliases) words='' ;;
	senti-serve\ --graphql-root-fields) words='' ;;
	senti-serve\ --graphql-directives) words='' ;;
	senti-serve\ --graphql-cost) words='' ;;
	senti-serve\ --graphql-answer) words='' ;;
	senti-serve\ --graphql-timeout) words='' ;;
	senti-serve\ --graphql-documents) words='' ;;
	senti-serve\ --max-connections) words='' ;;
	senti-serve\ --max-per-address) words='' ;;
	senti-serve\ --header-timeout) words='' ;;
	senti-serve\ --body-timeout) words='' ;;
	senti-serve\ --idle-timeout) words='' ;;
	senti-serve\ --scan-timeout) words='' ;;
	senti-serve\ --drain-delay) words='' ;;
	senti-serve\ --store) words='' ;;
	senti-serve\ --cache) words='' ;;
	senti-serve\ --ttl) words='' ;;
	senti-serve\ --batch | senti-serve\ -b) words='' ;;
	senti-serve\ --wait | senti-serve\ -w) words='' ;;
	senti-serve\ --max-record) words='' ;;
	senti-serve\ --drain) words='' ;;
	senti-serve\ --log-format) words='logfmt json' ;;
	*)
		case $tool in
		senti-score)
			words='--model --expression --text --field --into --csv --columns --raw --explain --force --lexicon --neutral --models --from --to --jobs --batch --wait --reject --max-record --max-rejects --metrics --host --idle --pack --retry --progress --no-progress --summary --exit-if-empty --drain --log-format --verbose --quiet --help --version'
			;;
		senti-ingest)
			words='--format --text --id --time --time-format --source --id-by --id-path --id-prefix --id-scheme --no-header --delimiter --encoding --unescape --pattern --join --follow --rotate-wait --rate --from --to --batch --wait --reject --max-record --max-rejects --metrics --host --idle --pack --retry --progress --no-progress --summary --exit-if-empty --drain --log-format --verbose --quiet --help --version'
			;;
		senti-store)
			words='--label --source --since --until --text --model --not-model --score-above --score-below --where --unscored --corrected --after --limit --sample --order --format --columns --raw --csv --by --step --tz --dead --from --to --store --batch --wait --reject --max-record --max-rejects --metrics --host --idle --pack --retry --progress --no-progress --summary --exit-if-empty --drain --log-format --verbose --quiet --help --version'
			commands='put get delete correct query export stats migrate prune'
			;;
		senti-eval)
			words='--model --field --label --map --result --two --dedupe --seed --json --state --min-f1 --from --to --batch --wait --reject --max-record --max-rejects --metrics --host --idle --pack --retry --progress --no-progress --summary --exit-if-empty --drain --log-format --verbose --quiet --help --version'
			;;
		senti-train)
			words='--output --field --label --map --folds --test --dedupe --seed --class-weights --words --letters --no-negation --no-lexicon --lexicon-gain --hash-bits --min-texts --state --cost --from --batch --wait --reject --max-record --max-rejects --metrics --host --idle --pack --retry --progress --no-progress --summary --exit-if-empty --drain --log-format --verbose --quiet --help --version'
			;;
		senti-window)
			words='--every --of --gap --tz --by --late --ahead --idle-close --half-life --terms --result --dedupe --merge --no-sketch --alert --clear --chart --state --memory --from --to --batch --wait --reject --max-record --max-rejects --metrics --host --idle --pack --retry --progress --no-progress --summary --exit-if-empty --drain --log-format --verbose --quiet --help --version'
			;;
		senti-worker)
			words='--queue --to --jobs --timeout --max-failures --follow --rotate-wait --state --from --batch --wait --reject --max-record --max-rejects --metrics --host --idle --pack --retry --progress --no-progress --summary --exit-if-empty --drain --log-format --verbose --quiet --help --version'
			;;
		senti-cache)
			words='--model --field --into --expression --once --reader --sample --from --to --store --cache --ttl --batch --wait --reject --max-record --max-rejects --metrics --host --idle --pack --retry --progress --no-progress --summary --exit-if-empty --drain --log-format --verbose --quiet --help --version'
			commands='get put invalidate follow verify key stats'
			;;
		senti-serve)
			words='--listen --model --lexicon --queue --pending-ttl --reader --read-only --jobs --io-threads --memory --spool --max-waiting --max-body --max-items --tokens --new-token --insecure --host --cors --graphql-tokens --graphql-depth --graphql-aliases --graphql-root-fields --graphql-directives --graphql-cost --graphql-answer --graphql-timeout --graphql-documents --no-introspection --max-connections --max-per-address --header-timeout --body-timeout --idle-timeout --scan-timeout --drain-delay --access-log --store --cache --ttl --batch --wait --max-record --drain --log-format --verbose --quiet --help --version'
			;;
		esac
		[[ $cur != -* ]] && words=
		[[ $COMP_CWORD -eq 1 && $cur != -* ]] && words=$commands
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -o default -o bashdefault -F _senti senti-score senti-ingest senti-store senti-eval senti-train senti-window senti-worker senti-cache senti-serve
