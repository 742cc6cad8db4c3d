internal import ArgumentParser

/// The shells that have a script. The scripts know nothing: they ask `__complete`.
enum CompletionShell: String, CaseIterable, ExpressibleByArgument, Sendable {
    case bash, zsh, fish

    var script: String {
        switch self {
        case .bash: Self.bashScript
        case .zsh: Self.zshScript
        case .fish: Self.fishScript
        }
    }

    /// Words that the shell broke at `=` are put together by the program; what it completes then is
    /// the part after it.
    private static let bashScript = #"""
        # bash completion of wsm-apply
        _wsm_apply() {
            local line files= current=${COMP_WORDS[COMP_CWORD]}
            local program=${COMP_WORDS[0]/#\~\//${HOME-}/}
            COMPREPLY=()
            while IFS= read -r line; do
                case $line in
                    :files) files=1 ;;
                    --*=*)
                        line=${line%%$'\t'*}
                        [[ $COMP_WORDBREAKS == *=* ]] && line=${line#*=}
                        COMPREPLY+=("$line") ;;
                    *) COMPREPLY+=("${line%%$'\t'*}") ;;
                esac
            done < <("$program" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
            if [[ -n $files ]]; then
                [[ $current == = ]] && current=
                compopt -o filenames 2>/dev/null
                while IFS= read -r line; do
                    COMPREPLY+=("$line")
                done < <(compgen -f -- "$current")
            fi
        }
        complete -F _wsm_apply wsm-apply

        """#

    private static let zshScript = #"""
        #compdef wsm-apply
        # zsh completion of wsm-apply
        _wsm_apply() {
            local -a lines candidates
            local line files= tab=$'\t'
            lines=("${(@f)$("${(Q)words[1]}" __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
            for line in $lines; do
                case $line in
                    :files) files=1 ;;
                    *$tab*) candidates+=("${${line%%$tab*}//:/\\:}:${line#*$tab}") ;;
                    ?*) candidates+=("${line//:/\\:}") ;;
                esac
            done
            (( $#candidates )) && _describe -V 'wsm-apply' candidates
            if [[ -n $files ]]; then
                compset -P '--*='
                _files
            fi
        }
        if [[ ${funcstack[1]} == _wsm-apply ]]; then
            _wsm_apply "$@"
        else
            compdef _wsm_apply wsm-apply
        fi

        """#

    private static let fishScript = #"""
        # fish completion of wsm-apply
        function __wsm_apply_complete
            set -l words (commandline -opc)
            set -l current (commandline -ct)
            set -l program $words[1]
            set -e words[1]
            for line in (command $program __complete $words "$current" 2>/dev/null)
                if test "$line" = :files
                    __fish_complete_path (string replace -r -- '^--[^=]*=' '' "$current")
                else
                    echo $line
                end
            end
        end
        complete -c wsm-apply -f -a '(__wsm_apply_complete)'

        """#
}
