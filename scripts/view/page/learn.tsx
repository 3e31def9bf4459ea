import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { ExercisesAnswer, ListedExercise, TourAnswer } from "../contract";
import { ask } from "./live";

/** Seconds between two looks at the state of exercises, while they are shown. */
const LOOK = 5;

/** What the server answers under a name, asked when it is first shown, and again every few seconds where that is said. */
function useAnswer<T>(name: string, isShown: boolean, everySeconds?: number): T | string | undefined {
    const [answer, set] = useState<T | string | undefined>();
    useEffect(() => {
        if (!isShown) {
            return undefined;
        }
        const look = (): void => {
            ask<T>(name).then(set, (error: unknown) => set(error instanceof Error ? error.message : String(error)));
        };
        look();
        const timer = everySeconds === undefined ? undefined : setInterval(look, everySeconds * 1000);
        return () => clearInterval(timer);
    }, [name, isShown, everySeconds]);
    return answer;
}

function Fold(props: {
    readonly title: string;
    readonly onToggle: (open: boolean) => void;
    readonly children: ComponentChildren;
}): JSX.Element {
    return (
        <details class="card below" onToggle={({ currentTarget }) => props.onToggle(currentTarget.open)}>
            <summary>
                <h2>{props.title}</h2>
            </summary>
            {props.children}
        </details>
    );
}

/** A command to be typed in a terminal. */
function Command({ text }: { readonly text: string }): JSX.Element {
    const [copied, set] = useState(false);
    const copy = (): void => {
        void navigator.clipboard.writeText(text).then(() => set(true));
    };
    return (
        <span class="command">
            <code>{text}</code>
            <button type="button" class="small" aria-label={`copy ${text}`} onClick={copy}>
                {copied ? "copied" : "copy"}
            </button>
        </span>
    );
}

/** The exercises, and the one that is in the lab. */
export function Exercises(): JSX.Element {
    const [isShown, show] = useState(false);
    const answer = useAnswer<ExercisesAnswer>("exercises", isShown, LOOK);
    return (
        <Fold title="Exercises" onToggle={show}>
            {typeof answer === "object" ? <ExerciseList answer={answer} /> : <p class="hint">{answer ?? "…"}</p>}
        </Fold>
    );
}

function ExerciseList({ answer: { exercises, running } }: { readonly answer: ExercisesAnswer }): JSX.Element {
    return (
        <>
            {running === undefined ? (
                <p>An exercise breaks something in the lab, and says how it shows. Type its command in a terminal.</p>
            ) : (
                <section class="running" aria-labelledby="running" aria-live="polite">
                    <h3 id="running">
                        {running.title} <span class="hint">{`${running.name}, ${running.phase}`}</span>
                    </h3>
                    <pre>{running.symptom.trim()}</pre>
                    {running.hints.map((hint, index) => (
                        <p key={index}>
                            <strong>{`Hint ${index + 1}: `}</strong>
                            {hint}
                        </p>
                    ))}
                    <p class="hint">{`${running.hintsLeft} hints are left.`}</p>
                    {running.commands.map((command) => (
                        <Command key={command} text={command} />
                    ))}
                </section>
            )}
            <ul class="exercises">
                {exercises.map((exercise) => (
                    <ExerciseEntry key={exercise.name} exercise={exercise} />
                ))}
            </ul>
        </>
    );
}

function ExerciseEntry({ exercise }: { readonly exercise: ListedExercise }): JSX.Element {
    const { title, topic, difficulty, solved, lacks, command } = exercise;
    return (
        <li>
            <strong>{title}</strong>{" "}
            <span class="hint">{[topic, `level ${difficulty} of 3`, ...(solved ? ["✓ solved"] : [])].join(", ")}</span>
            {lacks.length > 0 ? <div class="hint">{`needs ${lacks.join(", ")}`}</div> : <Command text={command} />}
        </li>
    );
}

/** What each step of the bring-up adds, with the commands that show it. */
export function Tour(): JSX.Element {
    const [isShown, show] = useState(false);
    const answer = useAnswer<TourAnswer>("tour", isShown);
    return (
        <Fold title="Tour" onToggle={show}>
            {typeof answer === "object" ? (
                <>
                    <p>
                        {"How this lab comes up, step by step. In a terminal, from no lab at all: "}
                        <Command text={answer.command} />
                    </p>
                    <ol class="tour">
                        {answer.steps.map(({ step, added, looks, missing }) => (
                            <li key={step}>
                                <h3>{step}</h3>
                                <p>{added}</p>
                                {looks.map(({ why, command }) => (
                                    <div key={command}>
                                        {why === undefined ? null : <p class="hint">{why}</p>}
                                        <Command text={command} />
                                    </div>
                                ))}
                                {missing === undefined ? null : <p class="hint">{`Not yet: ${missing}`}</p>}
                            </li>
                        ))}
                    </ol>
                </>
            ) : (
                <p class="hint">{answer ?? "…"}</p>
            )}
        </Fold>
    );
}
