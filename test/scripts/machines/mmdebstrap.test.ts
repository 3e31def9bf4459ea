import { sourceLines } from "../../../scripts/machines/mmdebstrap";

describe("package sources of the machines' root file system", () => {
    it("are Debian's own of that release among the host's", () => {
        const targets = `https://packages.example/debian/|bookworm|main|Debian|$(SIGNED_BY)
https://packages.example/debian-security/|bookworm-security|main|Debian|/usr/share/keyrings/debian-archive-keyring.gpg
https://packages.example/debian/|bookworm|contrib|Debian|$(SIGNED_BY)
https://packages.example/debian/|trixie|main|Debian|$(SIGNED_BY)
https://third-party.example/apt|bookworm|main|Someone|$(SIGNED_BY)
`;
        expect(sourceLines(targets, "bookworm")).toEqual([
            "deb https://packages.example/debian/ bookworm main",
            "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] https://packages.example/debian-security/ bookworm-security main",
        ]);
    });

    it("are left to mmdebstrap where the host has none of that release", () => {
        expect(sourceLines("https://packages.example/debian/|trixie|main|Debian|$(SIGNED_BY)\n", "bookworm")).toEqual(
            [],
        );
    });
});
