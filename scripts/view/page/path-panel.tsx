import type { JSX } from "preact";
import type { PathAnswer, ShownHop } from "../contract";
import { idOf, type Model } from "../model";
import { asText, type Ends, portOf } from "./ends";
import { State } from "./sign";

export interface Traced {
    readonly path?: PathAnswer;
    readonly problem?: string;
    readonly isRunning: boolean;
    /** Hops that are lit by now. */
    readonly lit: number;
}

interface Props {
    readonly model: Model;
    readonly ends: Ends;
    readonly traced: Traced;
    readonly onEnds: (ends: Ends) => void;
    readonly onTrace: () => void;
    readonly onShow: (hop: ShownHop) => void;
}

/** Chooses FROM and TO, and lists the hops between them. */
export function PathPanel({ model, ends, traced, onEnds, onTrace, onShow }: Props): JSX.Element {
    const { path, problem, isRunning, lit } = traced;
    const change = (part: Partial<Ends>): void => onEnds({ ...ends, ...part });
    return (
        <section aria-labelledby="path">
            <h2 id="path">Path</h2>
            <form
                class="path-form"
                onSubmit={(event) => {
                    event.preventDefault();
                    onTrace();
                }}
            >
                <label>
                    From
                    <select value={ends.from} onChange={({ currentTarget }) => change({ from: currentTarget.value })}>
                        <option value="">choose, or click one</option>
                        <option value={idOf.host}>this host</option>
                        <Pods model={model} />
                        <Machines model={model} />
                    </select>
                </label>
                <label>
                    To
                    <select
                        value={ends.to}
                        onChange={({ currentTarget: { value } }) => change({ to: value, port: portOf(model, value) })}
                    >
                        <option value="">choose, or click one</option>
                        <optgroup label="Services">
                            {model.services
                                .filter(({ address }) => address !== "None")
                                .map((each) => (
                                    <option key={idOf.service(each)} value={idOf.service(each)}>
                                        {`${each.namespace}/${each.name}`}
                                    </option>
                                ))}
                        </optgroup>
                        <Pods model={model} />
                        <Machines model={model} />
                    </select>
                </label>
                <label>
                    Port
                    <input
                        value={ends.port}
                        inputMode="numeric"
                        size={5}
                        onInput={({ currentTarget }) => change({ port: currentTarget.value })}
                    />
                </label>
                <button type="submit" disabled={isRunning || ends.from === "" || ends.to === ""}>
                    {isRunning ? "Asking …" : "Show the path"}
                </button>
            </form>
            {ends.from === "" || ends.to === "" ? (
                <p class="hint">Click where a connection begins, then where it goes. Escape clears.</p>
            ) : (
                <code class="block">
                    {`scripts/lab path --stack ${model.stack} ${asText(ends.from)} ${asText(ends.to, ends.port)}`}
                </code>
            )}
            <div role="status">
                {problem === undefined ? null : <p class="problem">{problem}</p>}
                {path === undefined ? null : (
                    <p>
                        <State health={path.whole ? "good" : "bad"}>
                            {`${path.outcome} after ${Math.round(path.milliseconds)} ms`}
                        </State>
                        <span class="hint">{` ${path.hops.length} hops`}</span>
                    </p>
                )}
            </div>
            {path === undefined ? null : (
                <ol class="hops" aria-label="Hops">
                    {path.hops.map((hop, index) => (
                        <HopEntry key={index} hop={hop} isLit={index < lit} onShow={() => onShow(hop)} />
                    ))}
                </ol>
            )}
            {(path?.notes ?? []).map((note) => (
                <p class="hint" key={note}>
                    {note}
                </p>
            ))}
        </section>
    );
}

function HopEntry({ hop, isLit, onShow }: { hop: ShownHop; isLit: boolean; onShow: () => void }): JSX.Element {
    return (
        <li class={`${isLit ? "lit" : ""} ${hop.lost === undefined ? "" : "lost"} `}>
            <button type="button" class="plain" onClick={onShow}>
                {hop.where}
            </button>
            {hop.isReply ? <span class="hint"> (answer)</span> : null}
            <div>{hop.what}</div>
            <div class="hint">{`by ${hop.component}${hop.seen ? "" : ", concluded"}`}</div>
            {hop.lost === undefined ? null : (
                <div class="problem">
                    {`Lost here: ${hop.lost.why}. Should be: ${hop.lost.should}.`}
                    {hop.lost.remedy === undefined ? null : <code>{hop.lost.remedy}</code>}
                </div>
            )}
            {hop.command === undefined ? null : <code>{hop.command}</code>}
        </li>
    );
}

function Pods({ model }: { readonly model: Model }): JSX.Element {
    return (
        <optgroup label="Pods">
            {model.pods
                .filter(({ hostNetwork, address }) => !hostNetwork && address !== undefined)
                .map((pod) => (
                    <option key={idOf.pod(pod)} value={idOf.pod(pod)}>
                        {`${pod.namespace}/${pod.name}`}
                    </option>
                ))}
        </optgroup>
    );
}

function Machines({ model }: { readonly model: Model }): JSX.Element {
    return (
        <optgroup label="Machines">
            {model.machines.map(({ name }) => (
                <option key={name} value={idOf.machine(name)}>
                    {name}
                </option>
            ))}
        </optgroup>
    );
}
