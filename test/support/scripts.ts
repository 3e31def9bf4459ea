/**
 * A step's text without the library and how it comes by that: what is left calls functions that a checker of shell scripts takes for
 * programs.
 */
export function scriptBody(text: string): string {
    return text.slice(0, text.search(/^(\. \/usr\/local\/lib\/kubelab|IFS= read -rd '' library)/m));
}
