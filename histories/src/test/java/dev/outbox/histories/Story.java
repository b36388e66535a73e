package dev.outbox.histories;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What happened, as the log tells it.
 *
 * @param transactions by name
 * @param sent by text
 * @param handed in the order of time
 * @param counted by relay, process and id: when the relay counted an attempt as failed
 * @param buried by id: when the relay gave it up, and perhaps could not settle that
 * @param storeErrors by relay: when the store failed it
 * @param starts by relay: when its processes opened their stores
 * @param ended what relays said at their ends
 * @param end when there was nothing left to wait for
 */
record Story(
        Map<String, Transaction> transactions,
        Map<String, Sent> sent,
        List<Handed> handed,
        Map<String, List<Long>> counted,
        Map<String, List<Long>> buried,
        Map<String, List<Long>> storeErrors,
        Map<String, List<Long>> starts,
        List<Line> ended,
        List<Trouble> troubles,
        long end) {

    /** How a transaction ended, as far as its writer knows. */
    enum Ending {
        COMMITTED,
        UNDONE,
        UNKNOWN
    }

    record Transaction(String name, Ending ending, long ended, List<Sent> messages) {
        /** When others could see it at the latest; of one whose commit was not answered nobody can tell. */
        long visible() {
            return ending == Ending.COMMITTED ? ended : Long.MAX_VALUE;
        }
    }

    static Story of(List<Line> unsorted) {
        List<Line> lines = new ArrayList<>(unsorted);
        lines.sort(Comparator.comparingLong(Line::time));
        Story story = new Story(
                new LinkedHashMap<>(),
                new LinkedHashMap<>(),
                new ArrayList<>(),
                new HashMap<>(),
                new HashMap<>(),
                new HashMap<>(),
                new HashMap<>(),
                new ArrayList<>(),
                new ArrayList<>(),
                lines.isEmpty() ? 0 : lines.get(lines.size() - 1).time());
        story.read(lines);
        return story;
    }

    private void read(List<Line> lines) {
        Map<String, Integer> open = new HashMap<>(); // index of what a process was handed and has not ended
        Map<String, Line> begun = new LinkedHashMap<>(); // faults
        for (Line line : lines) {
            switch (line.kind()) {
                case 'T' -> {
                    Transaction transaction = new Transaction(
                            line.field(0) + "/" + line.field(1),
                            Ending.valueOf(line.field(2)),
                            line.time(),
                            Sent.parse(line.field(3)));
                    transactions.put(transaction.name(), transaction);
                    transaction.messages().forEach(message -> sent.put(message.text(), message));
                }
                case 'P' -> {
                    String process = process(line);
                    open.put(process + " " + line.field(4), handed.size());
                    handed.add(new Handed(
                            line.field(0),
                            process,
                            line.field(2) + "/" + line.field(3),
                            line.field(4),
                            line.field(5),
                            line.number(6),
                            line.time(),
                            Long.MAX_VALUE,
                            Handed.End.NONE));
                }
                case 'D' -> {
                    Integer index = open.remove(process(line) + " " + line.field(2));
                    if (index != null) {
                        handed.set(index, handed.get(index).ended(line.time(), Handed.End.valueOf(line.field(3))));
                    }
                }
                case 'R' -> add(counted, process(line) + " " + line.field(2), line);
                case 'L' -> add(buried, line.field(2), line);
                case 'X' -> add(storeErrors, line.field(0), line);
                case 'S' -> add(starts, line.field(0), line);
                case 'E' -> ended.add(line);
                case 'F' -> {
                    if (line.field(2).equals("begin")) {
                        begun.put(line.field(0), line);
                    } else {
                        Line begin = begun.remove(line.field(0));
                        if (begin != null) {
                            troubles.add(trouble(begin, line.time()));
                        }
                    }
                }
                case 'Z' -> {}
                default -> throw new IllegalStateException("What is " + line + "?");
            }
        }
        begun.values().forEach(line -> troubles.add(trouble(line, end)));
    }

    private static Trouble trouble(Line line, long end) {
        return new Trouble(line.field(4), line.field(1), line.time(), end, Duration.ofSeconds(line.number(3)));
    }

    private static String process(Line line) {
        return line.field(0) + "-" + line.field(1);
    }

    private static void add(Map<String, List<Long>> times, String of, Line line) {
        times.computeIfAbsent(of, key -> new ArrayList<>()).add(line.time());
    }

    /** Those messages whose transactions took effect. */
    List<Sent> committed(Set<String> there) {
        List<Sent> committed = new ArrayList<>();
        for (Transaction transaction : transactions.values()) {
            if (there.contains(transaction.name())) {
                transaction.messages().stream().filter(Sent::kept).forEach(committed::add);
            }
        }
        return committed;
    }

    /** Whether one of these times is between those, both included. */
    static boolean anyBetween(List<Long> times, long from, long to) {
        return times.stream().anyMatch(time -> time >= from && time <= to);
    }
}
