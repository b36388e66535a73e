package dev.outbox.benchmarks;

import dev.outbox.benchmarks.peers.Gruelbox;
import dev.outbox.benchmarks.peers.Namastack;
import dev.outbox.benchmarks.peers.Peer;
import dev.outbox.benchmarks.peers.Seed;
import dev.outbox.servers.PostgresServer;

/**
 * Other outboxes on the same PostgreSQL, each with a database of its own. Outbox drains with one worker and a limit of
 * 1000.
 */
final class AgainstPeers {
    private static final int LIMIT = 1000;

    private AgainstPeers() {}

    private interface Opening {
        Peer open(String url) throws Exception;
    }

    static void measure(Run run) throws Exception {
        for (String name : run.of("postgres")) {
            Backend ours = run.open(name).ours();
            compare(run, ours, url -> new Seed(url, Load.USUAL_BYTES));
            compare(run, ours, url -> new Gruelbox(url, Load.USUAL_BYTES));
            compare(run, ours, url -> new Namastack(url, Load.USUAL_BYTES));
        }
    }

    private static void compare(Run run, Backend ours, Opening opening) throws Exception {
        try (Peer peer = opening.open(PostgresServer.shared().newDatabase())) {
            // They work in batches of thousands or in the background, so slices cannot be short.
            Contest.Pace pace =
                    new Contest.Pace(run.brief().rounds(), 2.5 * run.brief().seconds(), 1);
            run.note(Contest.of(
                    ours.name() + ".peers." + bare(peer) + ".drain",
                    peer.name(),
                    pace,
                    new Drain(Backlog.of(ours), LIMIT),
                    drain(peer)));
            for (int messages : new int[] {1, 10}) {
                run.note(Contest.of(
                        ours.name() + ".peers." + bare(peer) + ".persist.tx" + messages,
                        peer.name(),
                        run.pace(),
                        Persist.oneByOne(ours, messages),
                        persist(peer, messages)));
            }
            if (!(peer instanceof Seed)) {
                run.note(Contest.of(
                        ours.name() + ".peers." + bare(peer) + ".persist.tx10.together",
                        peer.name(),
                        run.pace(),
                        Persist.together(ours, 10),
                        persist(peer, 10)));
            }
        }
    }

    /** Its name without the version. */
    private static String bare(Peer peer) {
        return peer.name().replaceAll("-.*", "");
    }

    private static Contest.Side drain(Peer peer) {
        return new Contest.Side() {
            @Override
            public int unit() {
                return peer.batch();
            }

            @Override
            public void prepare(int messages) throws Exception {
                peer.fill(messages);
            }

            @Override
            public void run(int messages) throws Exception {
                peer.drain(messages);
            }

            @Override
            public void close() {}
        };
    }

    private static Contest.Side persist(Peer peer, int messages) {
        return new Contest.Side() {
            @Override
            public int unit() {
                return messages;
            }

            @Override
            public void prepare(int all) throws Exception {
                peer.fill(1);
            }

            @Override
            public void run(int some) throws Exception {
                peer.persist(some / messages, messages);
            }

            @Override
            public void close() {}
        };
    }
}
