package dev.outbox.store.jooq.fault;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Whether what happened is allowed. The application's table says which transactions were committed, also where a writer
 * could not know; so a message is lost if its row is there and it never came, and a phantom if it came and its row is not.
 *
 * <p>Order: what one writer wrote into one partition has to come for the first time in the order in which it was written,
 * for its transactions do not overlap (OBX-ORDER-1, OBX-ORDER-4). One whose commit was never answered may come late: it
 * may have taken effect after a later one.
 *
 * <p>Of the transactions around a kill that may leave them half done, nothing is said, nor of their messages.
 *
 * @param committed transactions that took effect
 * @param rolledBack transactions that did not
 * @param unknown of both, those whose writer could not know
 * @param published different messages that came
 * @param duplicated deliveries beyond the first of each message
 * @param early of these, how many came before any fault
 * @param lost messages that should have come
 * @param phantom deliveries of what was never committed, or not as it was written
 * @param inverted messages that first came after a later one
 * @param forgotten transactions whose commit was acknowledged and that are not in the table
 * @param doubtful transactions of which nothing is said
 * @param storeErrors how often the store failed a relay
 * @param faults how many there were
 * @param details the first few offences
 */
record Verdict(
        int committed,
        int rolledBack,
        int unknown,
        int published,
        int duplicated,
        int early,
        int lost,
        int phantom,
        int inverted,
        int forgotten,
        int doubtful,
        int storeErrors,
        int faults,
        List<String> details) {

    /** Of each writer, so many transactions before a kill and so many behind it. */
    private static final int AROUND_A_KILL = 5;

    private record Sent(String transaction, int writer, int partition, int sequence, boolean known) {}

    /**
     * Judges.
     *
     * @param rows the application's table: writer and number of each transaction, as {@code writer/number}
     */
    static Verdict of(List<Line> lines, Set<String> rows) {
        List<String> details = new ArrayList<>();
        Map<String, Sent> sent = new HashMap<>(); // by text
        Map<String, String> ids = new HashMap<>(); // to texts
        int rolledBack = 0;
        int unknown = 0;
        int forgotten = 0;
        Set<String> tried = new HashSet<>();
        Set<String> doubtful = doubtful(lines);
        Set<String> ofDoubtful = new HashSet<>(); // texts
        for (Line line : lines) {
            if (line.kind() != 'T') {
                continue;
            }
            String transaction = line.field(0) + "/" + line.field(1);
            String outcome = line.field(2);
            boolean isThere = rows.contains(transaction);
            tried.add(transaction);
            rolledBack += isThere ? 0 : 1;
            unknown += outcome.equals("U") ? 1 : 0;
            if (!doubtful.contains(transaction)
                    && (outcome.equals("C") && !isThere || outcome.equals("A") && isThere)) {
                forgotten++;
                details.add("the database made something else of " + line);
            }
            for (String message : line.field(3).isEmpty()
                    ? List.<String>of()
                    : List.of(line.field(3).split(",", -1))) {
                String[] parts = message.split(":", -1);
                String text = line.field(0) + ":" + parts[1];
                if (doubtful.contains(transaction)) {
                    ofDoubtful.add(text);
                    continue;
                }
                int partition = Integer.parseInt(parts[0]);
                sent.put(
                        text,
                        new Sent(
                                transaction,
                                Integer.parseInt(line.field(0)),
                                partition,
                                Integer.parseInt(parts[1]),
                                !outcome.equals("U")));
                ids.put(parts[2], text); // ids of what was rolled back may be given again
            }
        }
        Set<String> came = new HashSet<>();
        Map<String, Integer> latest = new HashMap<>();
        int duplicated = 0;
        int early = 0;
        int phantom = 0;
        int inverted = 0;
        int storeErrors = 0;
        int faults = 0;
        for (Line line : lines) {
            faults += line.kind() == 'F' ? 1 : 0;
            storeErrors += line.kind() == 'X' ? 1 : 0;
            if (line.kind() != 'D') {
                continue;
            }
            String text = line.field(4);
            if (ofDoubtful.contains(text)) {
                continue;
            }
            Sent message = sent.get(text);
            if (message == null
                    || !rows.contains(message.transaction)
                    || message.partition != Integer.parseInt(line.field(2))
                    || !text.equals(ids.get(line.field(3)))) {
                phantom++;
                details.add("nothing like this was committed: " + line);
                continue;
            }
            if (!came.add(text)) {
                duplicated++;
                early += faults == 0 ? 1 : 0;
                continue;
            }
            String order = message.writer + " in " + message.partition;
            int before = latest.merge(order, message.sequence, Math::max);
            if (before > message.sequence && message.known) {
                inverted++;
                details.add("came after " + message.writer + ":" + before + ": " + line);
            }
        }
        int lost = 0;
        for (Map.Entry<String, Sent> message : sent.entrySet()) {
            if (rows.contains(message.getValue().transaction) && !came.contains(message.getKey())) {
                lost++;
                details.add("never came: " + message);
            }
        }
        for (String row : rows) {
            if (!tried.contains(row)) {
                phantom++;
                details.add("a row that nobody wrote: " + row);
            }
        }
        return new Verdict(
                rows.size(),
                rolledBack,
                unknown,
                came.size(),
                duplicated,
                early,
                lost,
                phantom,
                inverted,
                forgotten,
                doubtful.size(),
                storeErrors,
                faults,
                details.subList(0, Math.min(10, details.size())));
    }

    private static Set<String> doubtful(List<Line> lines) {
        Map<String, Integer> tried = new HashMap<>(); // by writer
        Map<String, Integer> doubtfulUntil = new HashMap<>();
        Set<String> doubtful = new HashSet<>();
        for (Line line : lines) {
            if (line.kind() == 'T') {
                int transaction = Integer.parseInt(line.field(1));
                tried.put(line.field(0), transaction);
                if (transaction <= doubtfulUntil.getOrDefault(line.field(0), 0)) {
                    doubtful.add(line.field(0) + "/" + transaction);
                }
            } else if (line.kind() == 'K') {
                tried.forEach((writer, last) -> {
                    for (int transaction = Math.max(1, last - AROUND_A_KILL + 1); transaction <= last; transaction++) {
                        doubtful.add(writer + "/" + transaction);
                    }
                    doubtfulUntil.put(writer, last + AROUND_A_KILL);
                });
            }
        }
        return doubtful;
    }

    /** What is wrong, or nothing. A fault explains what was in an open batch then, and not more. */
    List<String> offences(Settings settings) {
        List<String> offences = new ArrayList<>();
        if (lost + phantom + inverted + forgotten > 0) {
            offences.addAll(details);
        }
        if (early > 0) {
            offences.add(early + " duplicates before any fault");
        }
        if (duplicated > faults * settings.mostInHand()) {
            offences.add(duplicated + " duplicates by " + faults + " faults, of which each explains at most "
                    + settings.mostInHand());
        }
        return offences;
    }

    @Override
    public String toString() {
        return "committed=" + committed + " rolledBack=" + rolledBack + " unknown=" + unknown + " published="
                + published
                + " duplicated=" + duplicated + " lost=" + lost + " phantom=" + phantom + " inverted=" + inverted
                + " forgotten=" + forgotten + " doubtful=" + doubtful + " faults=" + faults + " storeErrors="
                + storeErrors;
    }
}
