import * as z from "zod";
import type { ClusterAccess } from "../cli/cluster-access";
import { UserError } from "../support/errors";
import { exercisesOf } from "./exercises";
import type { LiveLab } from "./live/lab";
import { pathAnswer } from "./path";
import type { Answers } from "./server/server";
import { tourOf } from "./tour";

const PATH_QUESTION = z.strictObject({ from: z.string().max(300), to: z.string().max(300) });

/** What the page gets of a lab. Nothing of it changes the lab: a path is found by one connection. */
export function answersOf(cluster: ClusterAccess, lab: LiveLab): Answers {
    let finding = false;
    return {
        events: (send) => {
            send(JSON.stringify(lab.moment));
            return lab.listen((moment) => send(JSON.stringify(moment)));
        },
        get: {
            exercises: () => Promise.resolve(exercisesOf(cluster.stack)),
            tour: () => Promise.resolve(tourOf(cluster.stack)),
        },
        post: {
            path: async (body) => {
                const { success, data } = PATH_QUESTION.safeParse(body);
                if (!success) {
                    throw new UserError("FROM and TO are expected, as text.");
                }
                if (finding) {
                    throw new UserError("Another path is being found: wait for it.");
                }
                finding = true;
                try {
                    return await pathAnswer(cluster, data, lab.moment.model);
                } finally {
                    finding = false;
                }
            },
        },
    };
}
