/** Takes lines for the person at the keyboard: what is finished, or worth knowing. */
export interface Progress {
    (line: string): void;
    /** Takes what is under way just now, which is shown for as long as nothing else is; it may be told often. */
    readonly now?: (text: string) => void;
}
