import type { JSX } from "preact";
import { WORD } from "../drawing/measures";
import { MARK } from "../lists";
import type { Health } from "../model";

/** A state as a sign, a word and a colour. */
export function State({ health, children }: { readonly health: Health; readonly children: string }): JSX.Element {
    return (
        <span class={`state ${health}`} title={WORD[health]}>
            <span aria-hidden="true">{MARK[health]}</span> {children}
        </span>
    );
}
