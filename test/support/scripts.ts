/** The script inside the script that pushes the parts: it runs on the machine. */
export const LINK_SCRIPT = /<<'KUBELAB_LINK'\n([^]*?)\nKUBELAB_LINK/;

/**
 * A step's text without the library, which is long and the same in all of them: what is left calls functions that a checker of
 * shell scripts takes for programs.
 */
export function scriptBody(text: string): string {
    const library = text.indexOf("# Functions every step has at hand.");
    return text.slice(0, library);
}
