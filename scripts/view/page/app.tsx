import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Marks } from "../drawing/draw";
import { layout } from "../drawing/layout";
import { lists } from "../lists";
import { ChangesPanel } from "./changes-panel";
import { Details } from "./details";
import { DrawingView } from "./drawing-view";
import { toElement } from "./elements";
import { afterClick, type Ends, NO_ENDS } from "./ends";
import { Exercises, Tour } from "./learn";
import { type Live, useLive } from "./live";
import { PathPanel, type Traced } from "./path-panel";
import { State } from "./sign";
import { usePath } from "./use-path";

export function App(): JSX.Element {
    const { moment, connected } = useLive();
    return moment === undefined ? (
        <p class="loading">The lab is being asked.</p>
    ) : (
        <Lab moment={moment} connected={connected} />
    );
}

function Lab({
    moment,
    connected,
}: {
    readonly moment: NonNullable<Live["moment"]>;
    readonly connected: boolean;
}): JSX.Element {
    const { model, changes } = moment;
    const [selected, select] = useState<string | undefined>();
    const [ends, setEnds] = useState<Ends>(NO_ENDS);
    const { traced, trace, clear } = usePath();
    const plan = useMemo(() => layout(model), [model]);

    useEffect(() => {
        const onKeyDown = ({ key }: KeyboardEvent): void => {
            if (key === "Escape") {
                setEnds(NO_ENDS);
                select(undefined);
                clear();
            }
        };
        document.addEventListener("keydown", onKeyDown);
        return () => document.removeEventListener("keydown", onKeyDown);
    }, [clear]);

    const onChoose = (id: string): void => {
        select(id);
        const next = afterClick(model, ends, id);
        setEnds(next);
        if (next !== ends) {
            clear();
        }
        if (next.to !== "" && next !== ends) {
            trace(next);
        }
    };
    const item = plan.items.find(({ id }) => id === selected);
    return (
        <>
            <header>
                <h1>
                    kubelab <span class="stack">{model.stack}</span>
                </h1>
                <p role="status">
                    <State health={connected ? "good" : "bad"}>
                        {connected ? "live" : "scripts/lab view has ended: this is how it was"}
                    </State>
                    <State health={model.api.health}>{`API server ${model.api.state}`}</State>
                </p>
            </header>
            <main>
                <div class="drawing">
                    <DrawingView layout={plan} marks={marksOf(ends, selected, traced)} onChoose={onChoose} />
                </div>
                <aside aria-label="Path and changes">
                    <PathPanel
                        model={model}
                        ends={ends}
                        traced={traced}
                        onEnds={(next) => {
                            setEnds(next);
                            clear();
                        }}
                        onTrace={() => trace(ends)}
                        onShow={(hop) => select(hop.item)}
                    />
                    {item === undefined ? null : <Details item={item} stack={model.stack} />}
                    <ChangesPanel changes={changes} onShow={select} />
                </aside>
                <Exercises />
                <Tour />
                <section class="below" aria-labelledby="lists">
                    <h2 id="lists">Lists</h2>
                    {lists(model).map((list) => toElement(list))}
                </section>
            </main>
        </>
    );
}

function marksOf({ from, to }: Ends, selected: string | undefined, { path, lit }: Traced): Marks {
    const hops = path?.hops.slice(0, lit) ?? [];
    return {
        stops: hops.flatMap(({ item, isReply }, index) =>
            item === undefined ? [] : [{ id: item, number: index + 1, isReply }],
        ),
        broken: hops.some(({ lost }) => lost !== undefined),
        from,
        to,
        ...(selected === undefined ? {} : { selected }),
    };
}
