import { toHtmlFile, toSvgFile } from "../../../scripts/view/export";
import { element, toText } from "../../../scripts/view/tree";
import { exampleModel } from "./example-model";

const NOW = "2026-11-29T03:00:10.000Z";

describe("an exported picture", () => {
    it("has every machine, unit, pod and service, and a style for light and dark", () => {
        const text = toSvgFile(exampleModel());
        for (const word of ["cp-1", "worker-2", "kube-apiserver", "10.99.2.3", "default/web", "lab-kubenet"]) {
            expect(text).toContain(`>${word}<`.replace(">lab", ">bridge lab"));
        }
        expect(text).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
        expect(text).toContain("prefers-color-scheme: dark");
    });

    it("asks for nothing and runs nothing", () => {
        for (const text of [toSvgFile(exampleModel()), toHtmlFile(exampleModel(), NOW)]) {
            expect(text).not.toMatch(/<script|<link|<img|\bsrc=|\bhref=|url\(|@import|\son\w+=/);
            expect(text.replaceAll("http://www.w3.org/2000/svg", "").match(/https?:\/\/[^\s<"]+/g)).toEqual(
                Array(text.match(/https:\/\/10\.240\.0\.10:6443/g)?.length ?? 0).fill(
                    expect.stringContaining("https://10.240.0.10:6443"),
                ),
            );
        }
    });

    it("as HTML has the lists too, and says when it was made", () => {
        const text = toHtmlFile(exampleModel(), NOW);
        expect(text).toMatch(/^<!doctype html>/);
        expect(text).toContain("<title>kubelab kubenet, 2026-11-29 03:00 UTC</title>");
        for (const list of ["Machines (3)", "Units (20)", "Pods (3)", "Services (3)", "Bridges (4)"]) {
            expect(text).toContain(`<caption>${list}</caption>`);
        }
    });
});

test("text is escaped, whoever has chosen it", () => {
    const evil = `<script>alert("1")</script>&`;
    expect(toText(element("p", { title: evil }, [evil]))).toBe(
        '<p title="&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;">' +
            '&lt;script&gt;alert("1")&lt;/script&gt;&amp;</p>',
    );
});
