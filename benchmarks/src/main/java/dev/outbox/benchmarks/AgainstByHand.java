package dev.outbox.benchmarks;

import java.util.ArrayList;
import java.util.List;

/** What the library costs compared with the same work done by hand. */
final class AgainstByHand {
    private AgainstByHand() {}

    static void drain(Run run) throws Exception {
        for (String name : run.backends()) {
            Run.Pair pair = run.open(name);
            for (int limit : new int[] {10, 100, 1000}) {
                run.note(Contest.of(
                        name + ".drain.limit" + limit,
                        "bare-loop",
                        limit == 10 ? run.brief() : run.pace(),
                        new Drain(Backlog.of(pair.ours()), limit),
                        Drain.byHand(Backlog.of(pair.theirs()), limit)));
            }
        }
    }

    static void persist(Run run) throws Exception {
        for (String name : run.backends()) {
            Run.Pair pair = run.open(name);
            for (int messages : new int[] {1, 10}) {
                run.note(Contest.of(
                        name + ".persist.tx" + messages,
                        "bare-insert",
                        messages == 1 ? run.brief() : run.pace(),
                        Persist.oneByOne(pair.ours(), messages),
                        Persist.byHand(pair.theirs(), messages)));
            }
            run.note(Contest.of(
                    name + ".persist.tx10.together",
                    "bare-insert",
                    run.brief(),
                    Persist.together(pair.ours(), 10),
                    Persist.byHand(pair.theirs(), 10)));
        }
    }

    /** Memory that a message takes in Redis, less being better. */
    static void stored(Run run) throws Exception {
        for (String name : run.of("redis")) {
            Run.Pair pair = run.open(name);
            int messages = 2_000;
            List<Double> bytes = new ArrayList<>();
            List<Double> ratios = new ArrayList<>();
            for (int round = 0; round < run.brief().rounds(); round++) {
                Redis ours = (Redis) pair.ours();
                Redis theirs = (Redis) pair.theirs();
                ours.clear();
                theirs.clear();
                try (Backend.Writer writer = ours.writer()) {
                    Persist.write(writer, messages / 10, 10, Load.payload(Load.USUAL_BYTES));
                }
                theirs.persistBare(messages / 10, 10);
                bytes.add((double) ours.storedBytes() / messages);
                ratios.add((double) ours.storedBytes() / theirs.storedBytesBare());
            }
            run.note(new Figure(name + ".stored", "-bytes", bytes, ratios, "bare-entry"));
        }
    }
}
