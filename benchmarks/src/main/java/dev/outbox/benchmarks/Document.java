package dev.outbox.benchmarks;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/** {@code docs/PERFORMANCE.md}, from the figures of one run. */
final class Document {
    private static final int LONGEST_LINE = 120;
    private static final String SECTION = "\n## ";

    /** A run of everything leaves it out, and keeps what the page has. */
    private static final String SHARDS = "Shards";

    private static final String HEAD = """
            # Performance

            This page and its drawings are written by the benchmarks, `benchmarks/README.md` says how. The numbers were measured
            in one run, except in sections that say otherwise, and nothing is added by hand.

            ## What not to conclude

            - **Values are of one machine.** Client and servers share %d cores, so everything waits for everything else:
              another machine has other rates. Ratios travel better, because both sides of each took turns within seconds
              of the same minute; they too change with the disk, the network between client and server, and the number of
              cores.
            - **A no-op publisher shows what the outbox costs**, and not what you will see: a broker that takes a millisecond
              for a message is slower than any outbox. *Publishers that take their time* below is nearer to that.
            - **Durability costs, and all sides pay it**: PostgreSQL, MySQL and MariaDB flush every commit (`fsync`), Redis its log
              (`appendfsync always`), MongoDB writes with a majority. Less durable settings are faster on both sides.
            - **The loop by hand is a limit and no alternative.** It keeps no order with a second relay, on Redis and MongoDB
              it must be alone, it shares nothing out among partitions, and knows neither failures nor dead letters.
            - **Peers do other things too**: they retry and order in other ways, and run in other frameworks. They are here in
              the newest version that could be had for Java 17, as their documentation sets them up, with more threads and
              larger batches than by default. Draining a backlog is what a peer does after an outage, and not all that
              counts.
            - Small differences mean nothing: look at the spread, which is the least and the most of all rounds.

            ## What was measured on

            """;

    /** The parts, in the order of the page: what they are called, what is said of them, which figures are theirs. */
    private static final Map<String, String[]> PARTS = new LinkedHashMap<>();

    static {
        part(
                "Draining",
                "[a-z0-9]+\\.drain\\.limit\\d+",
                "![Ratios to a loop by hand](performance/backends.svg)\n\n"
                        + "![Messages per second by limit](performance/limit.svg)\n\nA backlog in one partition through"
                        + " `Relay.processMessages` with a publisher that does nothing, compared with a loop by hand over the bare driver that does the least"
                        + " there is: on SQL read with `FOR UPDATE SKIP LOCKED`, delete all ids in one statement, commit; on Redis"
                        + " `XRANGE` and `XTRIM`; on MongoDB `find` and `deleteMany`.");
        part(
                "Writing",
                "[a-z0-9]+\\.persist\\.tx\\d+(\\.together)?|redis\\.stored",
                "`Outbox.bind(…).publish(…)` in transactions of 1 and of 10 messages,"
                        + " compared with the same insert over the bare driver in the same transaction; `together` are those of"
                        + " `publishAll`, still compared with one insert after the other. `redis.stored` is the memory that a message of 250"
                        + " bytes takes, index included, compared with an entry of a stream with nothing else: less is better.");
        part(
                "Peers",
                "postgres\\.peers\\..*",
                "On the same PostgreSQL, each in a database of its own. `seed` is the algorithm that"
                        + " outbox has grown from: `FOR UPDATE`, and one `DELETE` for each message. Outbox drains with one worker and a"
                        + " limit of 1000; the peers with eight threads. Gruelbox writes all messages of a transaction by one"
                        + " batch when that commits, which is what `publishAll` does in outbox: `together`.");
        part(
                "Workers and partitions",
                "[a-z0-9]+\\.workers\\..*",
                "A partition is published by one worker at a time, so more workers"
                        + " need more partitions. With a publisher that does nothing there is nothing to wait for, and on few cores little to win.");
        part("JSON", "[a-z0-9]+\\.jackson\\..*", "The Jackson codec compared with the bytes as they are.");
        part(
                "Publishers that take their time",
                "[a-z0-9]+\\.publisher\\..*",
                "A publisher that takes 1 ms, compared with the same publisher"
                        + " called in a loop without any outbox; one worker on 16 partitions, compared with one partition; and an asynchronous one that answers after 1 ms, with 100 messages in flight.");
        part(
                "To a broker",
                "[a-z0-9]+\\.[a-z]+\\.relay(\\..*)?",
                "The relay from 16 partitions of an outbox to a broker, messages of 250 bytes with keys, batches of 1000, up to 100 messages"
                        + " of a partition in flight. It does two things: it drains the outbox, and it publishes. Each is also measured"
                        + " alone: the same relay with a publisher that does nothing (`nothing`), and the bare client of the broker, which"
                        + " sends the same bytes and waits for the same answers (`client`): a producer of Kafka with `acks=all` and its"
                        + " defaults, a channel of RabbitMQ with confirms and persistent messages, `publishAsync` of NATS JetStream with `dontForceFlushOnRequest`. The first figure of each"
                        + " broker compares the relay with the slower of both. Where all of them share the same cores, that is hard to"
                        + " reach: `one-after-the-other` compares it with the rate of doing both on the same cores in turn. A worker waits"
                        + " for all answers to a batch before it takes the next one. Only the database works while it takes and closes a"
                        + " batch, and only client and broker while it publishes. So one worker is hardly faster than one after the other,"
                        + " and cores are idle meanwhile: `cores` is how many the relay keeps busy. Workers that share the partitions do both"
                        + " at the same time: `workers2` and `workers4` compare them with one. `cpu` is how long a message keeps cores busy, those"
                        + " of clients and servers together, compared with `client.cpu` and `nothing.cpu` together. `bound` is what all"
                        + " cores would do if the relay cost no more than both and no core ever waited.");
        part(
                "Metrics",
                "[a-z0-9]+\\.metrics\\..*",
                "What the meters of `outbox-micrometer` cost, with the tag `topic` and a registry for Prometheus, compared"
                        + " with the same without them: draining with a limit of 100 and a publisher that does nothing, while the"
                        + " store is asked as often as by default, and writing transactions of 10 messages.");
        part(
                "Latency",
                "[a-z0-9]+\\.latency\\..*",
                "![Latency](performance/latency.svg)\n\nFrom the call of commit to the publisher, with"
                        + " transactions of one message on a schedule, compared with a commit and one read by hand while nothing else"
                        + " happened. With in-process wake-up the writer calls `Relay.wakeUp()` after its commit; with cross-process"
                        + " wake-up a relay in another process hears of it through the server; polling is what is left without either,"
                        + " every second at the longest. `commit` is how long that call itself took, which is a part of the latency; `committed` is how many"
                        + " messages a second were committed of those that the schedule asked for: where that is below 1, commits did"
                        + " not keep up with it. What is written first is not counted.");
        part(
                "Idle",
                "[a-z0-9]+\\.idle\\..*",
                "What one relay with one worker costs its server while there is nothing to do, polling every"
                        + " second. PostgreSQL counts transactions, the others commands.");
        part(
                "Growth of the backlog",
                "[a-z0-9]+\\.drain\\.backlog\\..*",
                "![Growth](performance/backlog.svg)\n\nDraining the first messages of a"
                        + " large backlog, compared with one of 10,000.");
        part(
                "A transaction that stays open",
                "[a-z0-9]+\\.drain\\.snapshot\\..*",
                "![Snapshot](performance/snapshot.svg)\n\nA forgotten session or a"
                        + " long report keeps the database from cleaning up what is deleted. The names say how many messages were settled meanwhile.");
        part(
                "Partitions, topics and payloads",
                "[a-z0-9]+\\.drain\\.(partitions|topics|payload)\\..*",
                "The same 10,000 messages in more"
                        + " partitions or topics, compared with one; and payloads of other sizes, compared with the loop by hand with the same.");
        part(
                "Several relays",
                "[a-z0-9]+\\.relays\\..*",
                "Relays in processes of their own on 16 partitions, compared with one of them.");
        part(
                "Memory",
                "[a-z0-9]+\\.heap\\..*",
                "Heap in use in the process of a relay, garbage apart, while it publishes a batch of 1000,"
                        + " with a large backlog and with a small one.");
        part(
                SHARDS,
                "mongo\\.shards\\..*",
                "A sharded MongoDB, with the four partitions of a topic on two shards, compared with all of them on one shard of the"
                        + " same cluster. `drain` is a backlog through the relay with a limit of 100 and a publisher that does nothing."
                        + " `persist` are four writers at a time, with transactions of 10 messages: each has a partition to itself, or each"
                        + " transaction writes to all partitions (`all-partitions`). Routers, shards and clients share the same cores, so this"
                        + " shows what a second shard costs, and not what a second machine gains.");
    }

    private Document() {}

    private static void part(String title, String figures, String text) {
        PARTS.put(title, new String[] {figures, text});
    }

    /**
     * A new page.
     *
     * @param before the page that it replaces, or nothing
     */
    static String of(Results results, String before) {
        Setting setting = results.setting();
        StringBuilder page = new StringBuilder(HEAD.formatted(setting.cores()));
        setting(page, setting);
        PARTS.keySet().forEach(title -> page.append(section(title, results, "")));
        return page.append(sections(before).getOrDefault(SHARDS, "")).toString();
    }

    /** An earlier page, with the sections that were measured now in the place of those that it had. */
    static String update(String page, Results results) {
        Map<String, String> sections = sections(page);
        Setting setting = results.setting();
        String apart = "Measured apart: " + run(setting) + ", when the load of the machine was " + setting.load()
                + " before.\n\n";
        StringBuilder updated = new StringBuilder(page.split(SECTION, -1)[0]);
        sections.forEach((title, text) -> updated.append(PARTS.containsKey(title) ? "" : text));
        for (String title : PARTS.keySet()) {
            String section = section(title, results, apart);
            updated.append(section.isEmpty() ? sections.getOrDefault(title, "") : section);
        }
        return updated.toString();
    }

    /** By their titles, in their order. */
    private static Map<String, String> sections(String page) {
        Map<String, String> sections = new LinkedHashMap<>();
        String[] parts = page.split(SECTION, -1);
        for (String part : Arrays.copyOfRange(parts, 1, parts.length)) {
            sections.put(part.substring(0, part.indexOf('\n')), SECTION + part);
        }
        return sections;
    }

    /** The section of a part; empty if nothing of it was measured. */
    private static String section(String title, Results results, String apart) {
        String[] part = Objects.requireNonNull(PARTS.get(title), title);
        List<Figure> figures = results.matching(part[0]);
        StringBuilder section = new StringBuilder();
        if (!figures.isEmpty()) {
            section.append(SECTION)
                    .append(title)
                    .append("\n\n")
                    .append(wrapped(part[1]))
                    .append("\n\n")
                    .append(apart);
            table(section, figures);
        }
        return section.toString();
    }

    /** The paragraphs of a text, in lines as {@code docs/STYLE.md} wants them. */
    private static String wrapped(String text) {
        StringBuilder lines = new StringBuilder();
        int length = 0;
        for (String word : text.split("(?<=\\s)", -1)) {
            String shown = word.strip();
            if (length > 0 && length + 1 + shown.length() > LONGEST_LINE) {
                lines.append('\n');
                length = 0;
            } else if (length > 0 && !shown.isEmpty()) {
                lines.append(' ');
                length++;
            }
            lines.append(shown);
            length += shown.length();
            if (word.endsWith("\n")) {
                lines.append('\n');
                length = 0;
            }
        }
        return lines.toString();
    }

    private static void setting(StringBuilder page, Setting setting) {
        List<String[]> rows = new ArrayList<>();
        rows.add(new String[] {"run", run(setting)});
        rows.add(new String[] {"load before", setting.load()});
        rows.add(new String[] {"cores", setting.cores() + " × " + setting.processor() + ", shared by client and servers"
        });
        rows.add(new String[] {"memory", setting.memoryMebibytes() + " MiB"});
        rows.add(new String[] {"system", setting.system()});
        rows.add(new String[] {"Java", setting.java()});
        setting.servers().forEach((backend, version) -> rows.add(new String[] {Plots.shown(backend), version}));
        page.append("| | |\n|---|---|\n");
        rows.forEach(row -> page.append("| ")
                .append(row[0])
                .append(" | ")
                .append(row[1].replace("|", "\\|"))
                .append(" |\n"));
    }

    private static String run(Setting setting) {
        return (setting.atLength() ? "at length" : "quick") + ", " + setting.seconds() + " s, " + setting.date();
    }

    private static void table(StringBuilder page, List<Figure> figures) {
        boolean aims = figures.stream().anyMatch(figure -> !Aims.shown(figure).isEmpty());
        page.append("| figure | value | ratio | to | spread |")
                .append(aims ? " aim |" : "")
                .append('\n');
        page.append("|---|--:|--:|---|---|").append(aims ? "---|" : "").append('\n');
        for (Figure figure : figures) {
            page.append(String.format(
                    Locale.ROOT,
                    "| `%s` | %s | %s | %s | %s–%s |",
                    figure.name(),
                    figure.shown(),
                    twoDigits(figure.ratio()),
                    figure.versus(),
                    twoDigits(Figure.at(figure.ratios(), 0)),
                    twoDigits(Figure.at(figure.ratios(), 1))));
            page.append(aims ? " " + Aims.shown(figure) + " |\n" : "\n");
        }
    }

    private static String twoDigits(double ratio) {
        return String.format(Locale.ROOT, ratio >= 100 ? "%.0f" : "%.2f", ratio);
    }
}
