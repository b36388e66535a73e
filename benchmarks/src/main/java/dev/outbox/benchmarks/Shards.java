package dev.outbox.benchmarks;

import dev.outbox.Codecs;
import dev.outbox.Topic;
import dev.outbox.servers.MongoCluster;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** A sharded MongoDB: the partitions of a topic on two shards, compared with all of them on one. */
final class Shards {
    private static final String MESSAGES = "outbox_messages";
    private static final int PARTITIONS = 4;
    private static final int LIMIT = 100;

    private Shards() {}

    static void measure(Run run) throws Exception {
        if (run.of("mongo").isEmpty()) {
            return;
        }
        Contest.Pace pace = new Contest.Pace(run.brief().rounds(), run.atLength() ? 4 : 1, 4);
        try (MongoCluster cluster = MongoCluster.packaged()) {
            Backend two = open(cluster, database -> spread(cluster, database));
            Backend one = open(cluster, database -> keepTogether(cluster, database));
            try {
                for (int workers : new int[] {1, PARTITIONS}) {
                    run.note(Contest.of(
                            "mongo.shards.drain.workers" + workers,
                            "one-shard",
                            pace,
                            drain(two, workers),
                            drain(one, workers)));
                }
                for (boolean everywhere : new boolean[] {false, true}) {
                    run.note(Contest.of(
                            "mongo.shards.persist" + (everywhere ? ".all-partitions" : ""),
                            "one-shard",
                            pace,
                            new Writers(two, everywhere),
                            new Writers(one, everywhere)));
                }
            } finally {
                two.close();
                one.close();
            }
        }
    }

    private static Backend open(MongoCluster cluster, Consumer<String> placing) {
        return new Mongo(cluster.newDatabase(), "two shards", placing);
    }

    private static void keepTogether(MongoCluster cluster, String database) {
        cluster.shard(database, MESSAGES);
        cluster.letRoutersLook(database, MESSAGES);
    }

    /** Half of the partitions go to the shard on which the database is not. */
    private static void spread(MongoCluster cluster, String database) {
        cluster.shard(database, MESSAGES);
        int other = cluster.chunks(database, MESSAGES).get(0) == 0 ? 0 : 1;
        cluster.split(database, MESSAGES, Load.TOPIC, PARTITIONS / 2);
        cluster.move(database, MESSAGES, Load.TOPIC, PARTITIONS / 2, other);
        cluster.letRoutersLook(database, MESSAGES);
    }

    private static Drain drain(Backend backend, int workers) {
        return new Drain(new Backlog(backend, Load.of(0).inPartitions(PARTITIONS)), LIMIT).workers(workers);
    }

    /** As many threads as there are partitions, which write transactions of some messages each. */
    private static final class Writers implements Contest.Side {
        private static final int MESSAGES_OF_TRANSACTION = 10;

        private final ExecutorService threads = Executors.newFixedThreadPool(PARTITIONS);
        private final List<Backend.Writer> writers = new ArrayList<>();
        private final byte[] payload = Load.payload(Load.USUAL_BYTES);
        private final Backend backend;
        private final boolean everywhere;

        /** @param everywhere whether each transaction writes to all partitions, or each writer to one */
        Writers(Backend backend, boolean everywhere) {
            this.backend = backend;
            this.everywhere = everywhere;
        }

        @Override
        public int unit() {
            return PARTITIONS * MESSAGES_OF_TRANSACTION;
        }

        @Override
        public void prepare(int messages) throws Exception {
            if (writers.isEmpty()) {
                backend.clear();
                for (int i = 0; i < PARTITIONS; i++) {
                    writers.add(backend.writer(topic(i)));
                }
            }
        }

        private Topic<byte[]> topic(int writer) {
            List<String> keys = Load.keys(PARTITIONS);
            AtomicInteger next = new AtomicInteger(writer);
            return Topic.builder(Load.TOPIC, Codecs.bytes())
                    .partitions(PARTITIONS)
                    .key(message -> keys.get(everywhere ? next.getAndIncrement() % PARTITIONS : writer))
                    .build();
        }

        @Override
        public void run(int messages) {
            int transactions = messages / unit();
            CompletableFuture.allOf(writers.stream()
                            .map(writer -> CompletableFuture.runAsync(() -> write(writer, transactions), threads))
                            .toArray(CompletableFuture<?>[]::new))
                    .join();
        }

        private void write(Backend.Writer writer, int transactions) {
            try {
                Persist.write(writer, transactions, MESSAGES_OF_TRANSACTION, payload);
            } catch (Exception e) {
                throw new CompletionException(e);
            }
        }

        @Override
        public void close() {
            writers.forEach(Backend.Writer::close);
            threads.shutdown();
        }
    }
}
