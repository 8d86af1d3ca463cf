# SPDX-License-Identifier: MIT
# Completion for fish. What there is, copytax itself is asked.
function __copytax_commands
	copytax --help 2>/dev/null | string match -r '^  copytax [a-z]+ +.*' | string replace -r '^  copytax ([a-z]+) +' '$1\t'
end
function __copytax_options
	copytax (commandline -opc)[2] --help 2>/dev/null | string match -ar -- '--[a-z][a-z-]+' | sort -u
end
function __copytax_methods
	copytax run --methods=: --there-is-no-such-option 2>&1 | string match -r 'there are: .*' | string replace 'there are: ' '' | string split ', '
end
complete -c copytax -n '__fish_is_first_arg' -f -a '(__copytax_commands)'
complete -c copytax -n 'not __fish_is_first_arg' -a '(__copytax_options)'
complete -c copytax -n 'not __fish_is_first_arg' -l methods -l method -x -a '(__fish_append , (__copytax_methods))'
