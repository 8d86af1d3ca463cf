# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Completion for bash. Commands, options and the words that an option takes are asked of copytax itself, so
# that nothing here has to be kept in step.

# The words after "there are:" in what copytax says of a wrong value; the option that does not exist keeps
# anything from being started.
_copytax_values() {
	"$1" "$2" "$3=:" --there-is-no-such-option 2>&1 | sed -n 's/.*there are: //p' | tr -d ','
}

_copytax() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} head=
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$("$1" --help 2>/dev/null | awk '$1 == "copytax" { print $2 }') --help --version" -- "$cur")
		return
	fi
	# --methods=send… comes as three words
	if [ "$cur" = = ]; then
		cur=
	elif [ "$prev" = = ]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	case $prev in
	--methods | --method | --sink | --cache | --link | --placement)
		# lists are comma-separated: the last item is completed
		[[ $cur != *,* ]] || head=${cur%,*},
		mapfile -t COMPREPLY < <(compgen -P "$head" -W "$(_copytax_values "$1" "$command" "$prev")" -- "${cur##*,}")
		return
		;;
	--plan)
		# what is said of a plan that isn't there ends with "(built in: NAMES)"
		mapfile -t COMPREPLY < <(compgen -W "$("$1" run --dry-run --plan : 2>&1 | sed -n 's/.*(built in: \(.*\))$/\1/p' | tr -d ',')" -- "$cur"
			compgen -f -- "$cur")
		return
		;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$("$1" "$command" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]+' | sort -u)" -- "$cur")
	elif [ "$command" = explain ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_copytax_values "$1" run --methods)" -- "$cur")
	fi
}
complete -o default -F _copytax copytax
