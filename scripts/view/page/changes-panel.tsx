import type { JSX } from "preact";
import type { Change } from "../model";
import { State } from "./sign";

/** Changes that are listed; the drawing has how it is now. */
const MOST = 60;

/** What changed, newest first. New ones are read out. */
export function ChangesPanel({
    changes,
    onShow,
}: {
    readonly changes: readonly Change[];
    readonly onShow: (id: string) => void;
}): JSX.Element {
    const last = [...changes].slice(-MOST).reverse();
    return (
        <section aria-labelledby="changes">
            <h2 id="changes">Changes</h2>
            {last.length === 0 ? (
                <p class="hint">
                    None since this page began to watch. Try <code>systemctl stop kubelet</code> on a worker.
                </p>
            ) : (
                <div class="changes" role="log" aria-label="Changes, newest first" tabIndex={0}>
                    <ol reversed>
                        {last.map((change) => (
                            <li key={`${change.time} ${change.subject} ${change.to}`} class={change.health}>
                                <time dateTime={change.time}>{clock(change.time)}</time>
                                <button type="button" class="plain" onClick={() => onShow(change.subject)}>
                                    {change.what}
                                </button>
                                <span class="turn">
                                    {change.from} → <State health={change.health}>{change.to}</State>
                                </span>
                            </li>
                        ))}
                    </ol>
                </div>
            )}
        </section>
    );
}

function clock(time: string): string {
    const date = new Date(time);
    return `${date.toLocaleTimeString("en-GB")}.${String(date.getMilliseconds()).padStart(3, "0").slice(0, 1)}`;
}
