package dev.outbox.tck.internal.explore;

import dev.outbox.tck.internal.explore.Step.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;

/**
 * Draws sequences. Most are small, where all operations meet often; some have many partitions, some many messages.
 * Numbers are mostly those near which something changes: powers of two, bounds of batches, round numbers.
 */
final class Generator {
    private static final int[] EDGES = {
        1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 50, 63, 64, 65, 99, 100, 101, 127, 128, 129, 170, 180, 196, 200,
        255, 256, 257, 300, 400, 499, 500, 501, 511, 512, 513, 600, 999, 1000, 1001, 1023, 1024, 1025, 1050, 1500, 2000
    };
    /** That of a relay which says nothing else. */
    private static final int DEFAULT_LIMIT = 100;

    private static final long HOUR = 3_600_000;
    private static final long CENTURIES = 400L * 366 * 24 * HOUR;
    private static final int TRANSACTIONS = 3;

    /** The least partitions to which a store of ours bounds a batch. */
    private static final int FEW_PLACES = 200;

    /** Messages of a step that may be large. */
    private static final int FEW = 20;

    private static final int BATCHES = 3;

    private final SplittableRandom random;
    private final List<Step> steps = new ArrayList<>();
    private final Set<Integer> transactions = new TreeSet<>();
    private final Set<Integer> batches = new TreeSet<>();
    private int topics;
    private int partitions;
    private int most;

    /** One batch at a time, of one client: then every partition has to get its place. */
    private boolean alone;

    private Generator(long seed) {
        this.random = new SplittableRandom(seed);
    }

    /** The sequence of a seed, always the same. */
    static List<Step> sequence(long seed) {
        Generator generator = new Generator(seed);
        int style = generator.random.nextInt(100);
        if (style < 50) {
            generator.small();
        } else if (style < 59) {
            generator.delays();
        } else if (style < 63) {
            generator.arrivals();
        } else if (style < 68) {
            generator.fewerAndFewer();
        } else if (style < 82) {
            generator.wide();
        } else if (style < 86) {
            generator.turns();
        } else if (style < 88) {
            generator.crowd();
        } else if (style < 91) {
            generator.graves();
        } else {
            generator.deep();
        }
        return List.copyOf(generator.steps);
    }

    private void small() {
        topics = chance(80) ? 1 + random.nextInt(3) : 1 + random.nextInt(12);
        partitions = chance(70) ? 1 + random.nextInt(4) : 1 + random.nextInt(17);
        most = 1 + random.nextInt(4);
        alone = chance(25);
        int length = 10 + random.nextInt(50);
        while (steps.size() < length) {
            any();
        }
        finish();
    }

    /** Many partitions, in clumps or evenly. */
    private void wide() {
        topics = chance(70) ? 1 : 1 + random.nextInt(40);
        partitions = edge(topics > 5 ? 16 : topics > 1 ? 64 : chance(80) ? 300 : 2_000);
        partitions = topics == 1 && chance(40) ? 1 + random.nextInt(300) : partitions;
        most = chance(70) ? 1 : 1 + random.nextInt(3);
        alone = chance(60);
        int clumps = chance(60) ? 1 : 2 + random.nextInt(3);
        for (int i = 0; i < clumps; i++) {
            int from = chance(70) ? 0 : random.nextInt(partitions);
            add(Kind.BEGIN, 1);
            for (int topic = 1; topic <= topics; topic++) {
                add(Kind.WRITE_TOGETHER, 1, topic, from, Math.max(1, partitions - from), most(), bytes());
            }
            if (chance(30)) {
                add(Kind.WRITE_TOGETHER, 1, 1, random.nextInt(partitions), 1, edge(500), bytes());
            }
            add(Kind.COMMIT, 1);
            for (int checkouts = random.nextInt(4); checkouts > 0; checkouts--) {
                round(i);
            }
        }
        for (int i = random.nextInt(10); i > 0; i--) {
            any();
        }
        finish();
    }

    private void round(int clump) {
        boolean company = !alone && chance(30);
        if (company) {
            add(Kind.MEANWHILE);
        }
        add(Kind.CHECK_OUT, alone ? 1 : client(), 1, 1, topics, limit());
        if (company) {
            add(Kind.CHECK_OUT, client(), 3, 1, topics, limit());
            add(Kind.CLOSE, 3);
        }
        for (int marks = random.nextInt(3); marks > 0; marks--) {
            mark(1);
        }
        if (!alone && chance(30)) {
            add(Kind.CHECK_OUT, client(), 2, 1, topics, limit());
            add(Kind.CLOSE, 2);
        }
        add(Kind.CLOSE, 1);
        if (clump > 0 && chance(30)) {
            add(Kind.LOOK, client(), edge(300));
        }
    }

    /** Partitions that fail, with several messages each, and what operators and relays do about them. */
    private void delays() {
        topics = 1 + random.nextInt(3);
        partitions = 1 + random.nextInt(5);
        most = 3;
        add(Kind.BEGIN, 1);
        for (int topic = 1; topic <= topics; topic++) {
            add(Kind.WRITE_TOGETHER, 1, topic, 0, partitions, 1 + random.nextInt(4), bytes());
        }
        add(Kind.COMMIT, 1);
        boolean company = chance(40);
        if (company) { // some are held by another batch while the delays of others pass
            add(Kind.CHECK_OUT, 2, 3, 1, topics, 1 + random.nextInt(3));
        }
        for (int round = 1 + random.nextInt(3); round > 0; round--) {
            add(Kind.CHECK_OUT, company ? 1 : client(), 1, 1, topics, chance(80) ? 100 : limit());
            long delay = company && chance(70) ? 1 + random.nextInt(25) : delay();
            add(Kind.FAIL_HEADS, 1, random.nextInt(2), (long) partitions * topics, 1 + random.nextInt(3), delay);
            if (chance(30)) {
                mark(1);
            }
            add(Kind.CLOSE, 1);
            if (chance(company ? 60 : 30)) {
                add(Kind.REOPEN, company ? 1 : client());
            }
            if (company && chance(60)) {
                add(Kind.AWAIT_DELAYS);
                if (chance(40)) {
                    add(Kind.REST, 2_100); // a store may notice the end of a delay two seconds later
                }
            } else {
                repair(client());
            }
            add(Kind.CHECK_OUT, company ? 1 : client(), 2, 1, topics, 100);
            if (chance(60)) {
                add(Kind.PUBLISH_HEADS, 2, 0, (long) partitions * topics, 1);
            } else {
                mark(2);
            }
            add(Kind.CLOSE, 2);
            add(Kind.LOOK, client(), edge(10));
        }
        finish();
    }

    private void repair(int client) {
        switch (random.nextInt(6)) {
            case 0 -> add(Kind.RETRY_TOPIC_NOW, client, topic());
            case 1 -> add(Kind.RETRY_NOW, client, topic(), random.nextInt(partitions));
            case 2 -> add(Kind.REMOVE_PENDING, client, topic(), edge(10));
            case 3 -> move(client);
            default -> add(Kind.AWAIT_DELAYS);
        }
    }

    /** Messages come to ever new partitions, while those that are known keep some. */
    private void arrivals() {
        topics = 1 + random.nextInt(2);
        partitions = 4 + random.nextInt(12);
        most = 3;
        alone = chance(80);
        int client = client();
        for (int partition = 0; partition < partitions; partition++) {
            add(Kind.BEGIN, 1);
            add(Kind.WRITE, 1, topic(), partition, 1, 1 + random.nextInt(3), bytes());
            add(Kind.COMMIT, 1);
            add(Kind.CHECK_OUT, client, 1, 1, topics, chance(80) ? 1_000 : limit());
            add(Kind.PUBLISH_HEADS, 1, random.nextInt(partition + 1), 1 + random.nextInt(2), 1);
            add(Kind.CLOSE, 1);
        }
        finish();
    }

    /** Many partitions, of which every batch publishes a few, so that each checkout meets another number of them. */
    private void fewerAndFewer() {
        topics = 1;
        partitions = chance(80) ? 20 + random.nextInt(300) : Math.max(20, edge(2_000));
        most = 1;
        alone = true;
        add(Kind.BEGIN, 1);
        add(Kind.WRITE_TOGETHER, 1, 1, 0, partitions, 1 + random.nextInt(2), 8);
        add(Kind.COMMIT, 1);
        int fewer = 1 + partitions / 25;
        for (int i = 0; i < 20; i++) {
            add(Kind.CHECK_OUT, 1, 1, 1, 1, chance(60) ? DEFAULT_LIMIT : limit());
            add(Kind.PUBLISH_HEADS, 1, 0, 1 + random.nextInt(fewer), 2);
            add(Kind.CLOSE, 1);
        }
        finish();
    }

    /** Few partitions with many messages, unevenly. */
    private void deep() {
        topics = 1 + random.nextInt(2);
        partitions = 1 + random.nextInt(9);
        most = 20;
        alone = chance(50);
        add(Kind.BEGIN, 1);
        for (int partition = 0; partition < partitions; partition++) {
            add(chance(50) ? Kind.WRITE : Kind.WRITE_TOGETHER, 1, 1, partition, 1, edge(chance(10) ? 1_500 : 100), 0);
        }
        add(Kind.COMMIT, 1);
        int length = steps.size() + random.nextInt(25);
        while (steps.size() < length) {
            any();
        }
        finish();
    }

    /** Many dead letters, which are brought back together, or discarded. */
    private void graves() {
        topics = 1 + random.nextInt(2);
        partitions = 1 + random.nextInt(3);
        most = 1;
        add(Kind.BEGIN, 1);
        for (int topic = 1; topic <= topics; topic++) {
            add(Kind.WRITE_TOGETHER, 1, topic, 0, partitions, Math.max(1, edge(1_500) / partitions), 8);
        }
        add(Kind.COMMIT, 1);
        for (int i = 0; i < 3; i++) {
            add(Kind.CHECK_OUT, 1, 1, 1, topics, 1_000);
            add(Kind.BURY, 1, 0, 1_000, 1);
            add(Kind.CLOSE, 1);
        }
        int kind = random.nextInt(5);
        if (kind == 4) {
            add(Kind.DISCARD, 1, topic(), random.nextInt(5), 1 + random.nextInt(4));
        } else if (kind == 0) {
            add(Kind.DISCARD_ACROSS, 1, 1, topics, edge(2_000));
        } else if (kind == 1) {
            add(Kind.REDRIVE_ACROSS, 1, 1, topics, edge(2_000));
        } else {
            add(kind == 2 ? Kind.REDRIVE : Kind.REDRIVE_BACKWARDS, 1, 1, 0, edge(2_000));
        }
        add(Kind.LOOK, 1, edge(1_000));
        finish();
    }

    /**
     * More partitions than a store may want to look at, with messages to the end. Each has to have its turn, also where
     * every batch is full and each partition might have a place.
     */
    private void crowd() {
        topics = 1;
        partitions = 100 + random.nextInt(chance(80) ? 900 : 1_900);
        most = 1;
        alone = true;
        int limit = chance(30) ? DEFAULT_LIMIT : partitions + random.nextInt(partitions);
        add(Kind.BEGIN, 1);
        add(Kind.WRITE_TOGETHER, 1, 1, 0, partitions, 3 + random.nextInt(3), 8);
        add(Kind.COMMIT, 1);
        // A batch may be bounded to fewer than all: then it takes more of them until each has had its turn.
        int places = chance(50) ? limit : Math.min(limit, FEW_PLACES);
        int checkouts = Math.min(100, 14 * Math.max(partitions, places) / places);
        for (int i = 0; i < checkouts; i++) {
            if (i == checkouts / 4 || i == checkouts / 2) {
                add(Kind.REST, 1_800);
            }
            add(Kind.CHECK_OUT, 1, 1, 1, 1, limit);
            add(Kind.CLOSE, 1);
        }
        add(Kind.FINISH, Math.max(partitions, DEFAULT_LIMIT));
    }

    /** More partitions than there are places, all with messages to the end: each has to have its turn. */
    private void turns() {
        topics = 1;
        partitions = 2 + random.nextInt(chance(50) ? 10 : 60);
        most = 1;
        alone = true;
        int limit = 1 + random.nextInt(partitions - 1);
        int checkouts = Math.min(100, 14 * partitions / limit);
        add(Kind.BEGIN, 1);
        add(Kind.WRITE_TOGETHER, 1, 1, 0, partitions, chance(50) ? checkouts : 2, bytes());
        add(Kind.COMMIT, 1);
        boolean publishes = chance(50);
        boolean rests = chance(10);
        for (int i = 0; i < checkouts; i++) {
            if (rests && (i == checkouts / 4 || i == checkouts / 2)) {
                add(Kind.REST, 1_800);
            }
            add(Kind.CHECK_OUT, 1, 1, 1, 1, limit);
            if (publishes) {
                add(Kind.PUBLISH, 1, 0, limit, 1);
            }
            add(Kind.CLOSE, 1);
        }
        finish();
    }

    private void finish() {
        add(Kind.FINISH, chance(20) ? 1 + random.nextInt(7) : Math.max(partitions / 3, edge(2_000)));
    }

    // --- any step

    private void any() {
        int choice = random.nextInt(100);
        if (choice < 4) {
            meanwhile();
        } else if (choice < 6) {
            savepoint();
        } else if (choice < 25) {
            write();
        } else if (choice < 37) {
            commit();
        } else if (choice < 53) {
            checkOut();
        } else if (choice < 74) {
            markOne();
        } else if (choice < 86) {
            close();
        } else {
            operate();
        }
    }

    private void write() {
        int number = 1 + random.nextInt(TRANSACTIONS);
        if (transactions.add(number)) {
            add(Kind.BEGIN, number);
        }
        int from = random.nextInt(partitions);
        int span = chance(60) ? 1 : 1 + random.nextInt(partitions - from);
        add(chance(70) ? Kind.WRITE : Kind.WRITE_TOGETHER, number, topic(), from, span, most(), bytes());
        if (chance(30)) {
            commit(number);
        }
    }

    /** Two steps at the same time. */
    private void meanwhile() {
        add(Kind.MEANWHILE);
        for (int i = 0; i < 2; i++) {
            int choice = random.nextInt(10);
            if (choice < 3 && !transactions.isEmpty()) {
                commit();
            } else if (choice < 5 && !transactions.isEmpty()) {
                add(Kind.WRITE, one(transactions), topic(), random.nextInt(partitions), 1, most(), bytes());
            } else if (choice < 7 && !batches.isEmpty()) {
                int number = one(batches);
                batches.remove(number);
                add(Kind.CLOSE, number);
            } else if (choice < 8) {
                add(Kind.REDRIVE, client(), topic(), 0, 1 + random.nextInt(4));
            } else {
                checkOut();
            }
        }
    }

    /** Some of what a transaction wrote is undone, or nothing. */
    private void savepoint() {
        if (transactions.isEmpty()) {
            return;
        }
        int number = one(transactions);
        add(Kind.SAVEPOINT, number);
        for (int i = random.nextInt(3); i > 0; i--) {
            int from = random.nextInt(partitions);
            add(chance(50) ? Kind.WRITE : Kind.WRITE_TOGETHER, number, topic(), from, 1, most(), bytes());
        }
        if (chance(70)) {
            add(Kind.ROLL_BACK_TO_SAVEPOINT, number);
        }
    }

    private void commit() {
        if (!transactions.isEmpty()) {
            commit(one(transactions));
        }
    }

    private void commit(int number) {
        transactions.remove(number);
        add(chance(85) ? Kind.COMMIT : Kind.ROLL_BACK, number);
    }

    private void checkOut() {
        int number = alone ? 1 : 1 + random.nextInt(BATCHES);
        if (!batches.add(number)) {
            close(number);
            return;
        }
        boolean all = alone || chance(50);
        int first = all ? 1 : topic();
        int asked = all ? topics : 1 + random.nextInt(topics - first + 1);
        add(Kind.CHECK_OUT, alone ? 1 : client(), number, first, asked, limit());
    }

    private void markOne() {
        if (!batches.isEmpty()) {
            mark(one(batches));
        }
    }

    private void mark(int batch) {
        int kind = random.nextInt(10);
        if (chance(60)) {
            int from = chance(70) ? 0 : random.nextInt(partitions + 1);
            int lanes = chance(40) ? partitions * topics : 1 + random.nextInt(partitions);
            int each = chance(60) ? 1 : 1 + random.nextInt(most + 2);
            if (kind < 5) {
                add(Kind.PUBLISH_HEADS, batch, from, lanes, each);
            } else if (kind < 8) {
                add(Kind.FAIL_HEADS, batch, from, lanes, each, delay());
            } else {
                add(Kind.BURY_HEADS, batch, from, lanes, each);
            }
        } else {
            int from = chance(50) ? 0 : random.nextInt(8);
            int count = chance(30) ? edge(2_000) : 1 + random.nextInt(6);
            int every = chance(60) ? 1 : 1 + random.nextInt(4);
            if (kind < 6) {
                add(Kind.PUBLISH, batch, from, count, every);
            } else if (kind < 8) {
                add(Kind.FAIL, batch, from, count, every, delay());
            } else {
                add(Kind.BURY, batch, from, count, every);
            }
        }
    }

    private void close() {
        if (!batches.isEmpty()) {
            close(one(batches));
        }
    }

    private void close(int number) {
        batches.remove(number);
        add(chance(92) ? Kind.CLOSE : Kind.MISUSE, number);
    }

    private void operate() {
        int client = client();
        switch (random.nextInt(27)) {
            case 0, 1, 2 -> add(Kind.RETRY_NOW, client, topic(), random.nextInt(partitions));
            case 3, 4 -> add(Kind.REDRIVE, client, topic(), random.nextInt(3), edge(300));
            case 5, 6 -> add(Kind.REDRIVE_BACKWARDS, client, topic(), random.nextInt(3), edge(300));
            case 7, 8 -> add(Kind.DISCARD, client, topic(), random.nextInt(3), 1 + random.nextInt(4));
            case 9, 10 -> add(Kind.LOOK, client, edge(100));
            case 11, 12 -> add(Kind.CLOSE_AGAIN, 1 + random.nextInt(BATCHES));
            case 13, 14 -> add(Kind.AWAIT_DELAYS);
            case 15, 16 -> add(Kind.RETRY_TOPIC_NOW, client, topic());
            case 17 -> add(Kind.REMOVE_PENDING, client, topic(), edge(300));
            case 18, 19 -> move(client);
            case 20 -> add(Kind.REDRIVE_ACROSS, client, 1, topics, edge(300));
            case 21 -> add(Kind.DISCARD_ACROSS, client, 1, topics, edge(30));
            case 22, 23 -> {
                // Two operators, who press the same button.
                int topic = topic();
                add(Kind.MEANWHILE);
                add(Kind.REDRIVE, client, topic, 0, 1 + random.nextInt(4));
                add(Kind.REDRIVE, client(), topic, 0, 1 + random.nextInt(4));
            }
            case 24 -> add(Kind.MISUSE, 1 + random.nextInt(BATCHES));
            default -> add(Kind.REOPEN, client);
        }
    }

    private void move(int client) {
        int to = chance(60) ? 1 + random.nextInt(topics + 1) : topic();
        add(Kind.MOVE_PENDING, client, topic(), to, chance(70) ? partitions : edge(300), edge(300));
    }

    // --- numbers

    private void add(Kind kind, long... numbers) {
        steps.add(Step.of(kind, numbers));
    }

    private boolean chance(int percent) {
        return random.nextInt(100) < percent;
    }

    private int one(Set<Integer> of) {
        return List.copyOf(of).get(random.nextInt(of.size()));
    }

    private int client() {
        return alone || chance(60) ? 1 : chance(75) ? 2 : 3;
    }

    private int topic() {
        return 1 + random.nextInt(topics);
    }

    private int most() {
        return 1 + random.nextInt(most);
    }

    private int bytes() {
        if (partitions * most <= FEW && chance(3)) {
            return (1 << 16) - 2 + random.nextInt(5);
        }
        return chance(90) ? 8 + random.nextInt(8) : chance(50) ? 0 : random.nextInt(3_000);
    }

    private long delay() {
        int kind = random.nextInt(20);
        return kind < 10 ? 0 : kind < 15 ? 1 + random.nextInt(25) : kind < 19 ? HOUR : CENTURIES;
    }

    private int limit() {
        return chance(30) ? 1 + random.nextInt(10) : chance(20) ? DEFAULT_LIMIT : edge(3_000);
    }

    /** A number near which something may change, small ones more often. */
    private int edge(int most) {
        int below = 0;
        while (below < EDGES.length && EDGES[below] <= most) {
            below++;
        }
        int index = random.nextInt(below);
        index = chance(50) ? Math.min(index, random.nextInt(below)) : index;
        return chance(15) && index > 0
                ? EDGES[index - 1] + random.nextInt(EDGES[index] - EDGES[index - 1] + 1)
                : EDGES[index];
    }
}
