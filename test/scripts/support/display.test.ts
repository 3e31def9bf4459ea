import { Display } from "../../../scripts/support/display";

/** A stream that keeps what is written to it. */
function stream(isTTY: boolean): {
    readonly isTTY: boolean;
    readonly columns: number;
    text: string;
    write(text: string): void;
} {
    return {
        isTTY,
        columns: 40,
        text: "",
        write(text: string) {
            this.text += text;
        },
    };
}

const plain = (text: string): string => text.replace(/\u001b\[\d+m/g, "");

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

describe("in a terminal", () => {
    let terminal: ReturnType<typeof stream>;
    let display: Display;
    beforeEach(() => {
        process.env["TERM"] = "xterm";
        terminal = stream(true);
        display = new Display({ live: terminal, lines: terminal });
    });

    test("what is under way is the last line, moves every half second, and goes when a line comes", () => {
        display.begin("parts");
        display.now("kubelet");
        terminal.text = "";
        jest.advanceTimersByTime(2000);
        expect(plain(terminal.text).split("\r\u001b[K").slice(1)).toEqual([
            expect.stringMatching(/^. {2}parts {2}1 s {2}kubelet$/),
            expect.stringMatching(/^. {2}parts {2}1 s {2}kubelet$/),
            expect.stringMatching(/^. {2}parts {2}2 s {2}kubelet$/),
            expect.stringMatching(/^. {2}parts {2}2 s {2}kubelet$/),
        ]);
        terminal.text = "";
        display.line("bin/kubelet is there");
        expect(plain(terminal.text)).toMatch(/^\r\u001b\[Kbin\/kubelet is there\n. {2}parts/);
    });

    test("it is never longer than the terminal is wide", () => {
        display.begin("parts");
        display.now("x".repeat(100));
        terminal.text = "";
        jest.advanceTimersByTime(500);
        expect(plain(terminal.text).replace("\r\u001b[K", "").length).toBeLessThan(40);
    });

    test("nothing of it is left at the end", () => {
        display.begin("parts");
        terminal.text = "";
        display.end();
        jest.advanceTimersByTime(5000);
        expect(terminal.text).toBe("\r\u001b[K");
    });
});

describe("elsewhere", () => {
    test("what is under way is told when nothing else was for ten seconds", () => {
        const [live, lines] = [stream(false), stream(false)];
        const display = new Display({ live, lines });
        display.begin("resources");
        display.now("\u001b[2mcp-1-etcd 3 s\u001b[22m");
        jest.advanceTimersByTime(9000);
        expect(live.text).toBe("");
        display.line("one is done");
        jest.advanceTimersByTime(9000);
        expect(live.text).toBe("");
        jest.advanceTimersByTime(12_000);
        expect(live.text).toBe("…  resources  19 s  cp-1-etcd 3 s\n…  resources  29 s  cp-1-etcd 3 s\n");
        expect(lines.text).toBe("one is done\n");
        display.end();
        jest.advanceTimersByTime(60_000);
        expect(live.text.split("\n").length).toBe(3);
    });
});
