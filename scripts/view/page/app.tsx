import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { layout } from "../drawing/layout";
import { lists } from "../lists";
import { ChangesPanel } from "./changes-panel";
import { DrawingView } from "./drawing-view";
import { toElement } from "./elements";
import { useLive } from "./live";
import { State } from "./sign";

export function App(): JSX.Element {
    const { moment, connected } = useLive();
    const [selected, select] = useState<string | undefined>();
    const model = moment?.model;
    const plan = useMemo(() => (model === undefined ? undefined : layout(model)), [model]);
    if (moment === undefined || model === undefined || plan === undefined) {
        return <p class="loading">The lab is being asked.</p>;
    }
    return (
        <>
            <header>
                <h1>
                    kubelab <span class="stack">{model.stack}</span>
                </h1>
                <p role="status">
                    <State health={connected ? "good" : "bad"}>
                        {connected ? "live" : "scripts/lab view has ended: this is how it was"}
                    </State>{" "}
                    <State health={model.api.health}>{`API server: ${model.api.state}`}</State>
                </p>
            </header>
            <main>
                <div class="drawing">
                    <DrawingView layout={plan} marks={selected === undefined ? {} : { selected }} onChoose={select} />
                </div>
                <aside aria-label="Changes">
                    <ChangesPanel changes={moment.changes} onShow={select} />
                </aside>
                <section class="below" aria-labelledby="lists">
                    <h2 id="lists">Lists</h2>
                    {lists(model).map((list) => toElement(list))}
                </section>
            </main>
        </>
    );
}
