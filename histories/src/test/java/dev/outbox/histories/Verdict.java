package dev.outbox.histories;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Whether what happened is allowed. The application's own rows say which transactions were committed, also where a writer
 * could not know. Every check can be wrong in one direction only: it takes what nobody can know in favour of the outbox.
 */
final class Verdict {
    /** What may be wrong. */
    enum Offence {
        /** The database made something else of a transaction than it had told the writer. */
        FORGOTTEN,
        /** Committed, and neither published nor given up. */
        LOST,
        /** Never committed, or not so, and handed to a publisher. */
        PHANTOM,
        /** Of two messages of a partition, of which the second was begun when the first was committed, the second came first. */
        INVERTED,
        /** Published, and handed to a publisher again, without a reason. */
        REPEATED,
        /** Handed to the publisher of one process more than 3 times in a minute or 10 in an hour, without its own failures. */
        HAMMERED,
        /** A ready partition was not served for {@link #PATIENCE}, although nothing had hindered that for as long. */
        STUCK,
        /** Given up after fewer attempts than the topic allows. */
        BURIED_ALIVE,
        /** Threads or connections that outlived their store, or workers that had ended before. */
        LEAKED
    }

    /** How long a ready partition may wait behind the last fault that concerns it. */
    static final Duration PATIENCE = Duration.ofSeconds(30);

    /** A close that fails because the hold was lost may be noticed so late, when a process slept. */
    private static final long NOTICED_LATE = Duration.ofSeconds(60).toNanos();

    /** So late a relay may count an attempt that took too long for it. */
    private static final long LATE = Duration.ofSeconds(5).toNanos();

    private static final int MOST_IN_A_MINUTE = 3;
    private static final int MOST_IN_AN_HOUR = 10;
    private static final int DETAILS = 5;

    private final Story story;
    private final Set<String> there;
    private final Map<Offence, List<String>> offences = new TreeMap<>();
    private final List<Sent> committed;
    private final Map<String, List<Handed>> byText = new HashMap<>();
    private final Set<String> dead;
    private int duplicates;
    private long slowest;
    private String slowestPlace = "";

    private Verdict(Story story, Set<String> there, Set<String> dead) {
        this.story = story;
        this.there = there;
        this.dead = dead;
        this.committed = story.committed(there);
        story.handed()
                .forEach(each -> byText.computeIfAbsent(each.text(), key -> new ArrayList<>())
                        .add(each));
    }

    /**
     * Judges a history.
     *
     * @param there the transactions that took effect, as the application's rows say
     * @param dead ids of the dead letters at the end
     */
    static Verdict of(List<Line> lines, Set<String> there, Set<String> dead) {
        Verdict verdict = new Verdict(Story.of(lines), there, dead);
        verdict.checkTransactions();
        verdict.checkNothingIsLost();
        verdict.checkNothingIsMadeUp();
        verdict.checkOrder();
        verdict.checkRepetitions();
        verdict.checkHammering();
        verdict.checkEverythingIsServed();
        verdict.checkTheDead();
        verdict.checkEnds();
        return verdict;
    }

    private void offence(Offence kind, String what) {
        offences.computeIfAbsent(kind, key -> new ArrayList<>()).add(what);
    }

    int count(Offence kind) {
        return offences.getOrDefault(kind, List.of()).size();
    }

    boolean isClean() {
        return offences.isEmpty();
    }

    /** The longest that a ready partition waited behind what had hindered it. */
    Duration slowest() {
        return Duration.ofNanos(slowest);
    }

    private void checkTransactions() {
        for (Story.Transaction each : story.transactions().values()) {
            boolean isThere = there.contains(each.name());
            if (each.ending() == Story.Ending.COMMITTED && !isThere
                    || each.ending() == Story.Ending.UNDONE && isThere) {
                offence(Offence.FORGOTTEN, each.name() + " was " + each.ending() + ", and is there: " + isThere);
            }
        }
        for (String row : there) {
            if (!story.transactions().containsKey(row)) {
                offence(Offence.FORGOTTEN, "a row that nobody wrote: " + row);
            }
        }
    }

    private void checkNothingIsLost() {
        for (Sent each : committed) {
            if (handed(each).stream().noneMatch(h -> h.end().isTaken()) && !dead.contains(each.id())) {
                offence(Offence.LOST, each + ", handed over " + handed(each).size() + " times");
            }
        }
    }

    private List<Handed> handed(Sent message) {
        return byText.getOrDefault(message.text(), List.of());
    }

    private void checkNothingIsMadeUp() {
        Map<String, Sent> known = new HashMap<>();
        committed.forEach(each -> known.put(each.text(), each));
        for (Handed each : story.handed()) {
            Sent message = known.get(each.text());
            if (message == null
                    || !message.id().equals(each.id())
                    || !message.place().equals(each.place())) {
                offence(
                        Offence.PHANTOM,
                        each + ", where written was " + story.sent().get(each.text()));
            }
        }
        // What is there can be a phantom too.
        Set<String> ids = new HashSet<>();
        committed.forEach(each -> ids.add(each.id()));
        for (String id : dead) {
            if (!ids.contains(id)) {
                offence(Offence.PHANTOM, "a dead letter that nobody wrote: " + id);
            }
        }
    }

    /** When a message was first handed over, and when it was first done with. */
    private record First(Sent message, long visible, long handed, long taken) {}

    /**
     * Whatever was committed before another message was begun is published before that is handed over, or, with several in
     * flight, handed over before. Within a transaction, what was written first. Nothing is said of the dead.
     */
    private void checkOrder() {
        Map<String, List<First>> byPlace = new HashMap<>();
        for (Story.Transaction transaction : story.transactions().values()) {
            Map<String, First> before = new HashMap<>();
            for (Sent each : transaction.messages()) {
                if (!each.kept() || !there.contains(transaction.name()) || dead.contains(each.id())) {
                    continue;
                }
                First first = new First(each, transaction.visible(), firstHanded(each), firstTaken(each));
                First earlier = before.put(each.place(), first);
                if (earlier != null && comesTooEarly(first, earlier)) {
                    offence(Offence.INVERTED, each + " came before " + earlier.message() + " of its transaction");
                }
                byPlace.computeIfAbsent(each.place(), key -> new ArrayList<>()).add(first);
            }
        }
        byPlace.values().forEach(this::checkOrder);
    }

    private void checkOrder(List<First> partition) {
        List<First> byVisible = new ArrayList<>(partition);
        byVisible.sort(Comparator.comparingLong(First::visible));
        partition.sort(Comparator.comparingLong(each -> each.message().began()));
        @Nullable First latest = null; // of those visible before the next one began, the one that came last
        int next = 0;
        for (First each : partition) {
            while (next < byVisible.size()
                    && byVisible.get(next).visible() < each.message().began()) {
                First other = byVisible.get(next++);
                latest = latest == null || came(other) > came(latest) ? other : latest;
            }
            if (latest != null && comesTooEarly(each, latest)) {
                offence(Offence.INVERTED, each.message() + " came before " + latest.message());
            }
        }
    }

    private static boolean comesTooEarly(First each, First earlier) {
        return each.handed() < came(earlier);
    }

    private static long came(First each) {
        return Lane.of(each.message().topic()).inFlight() > 1 ? each.handed() : each.taken();
    }

    private long firstHanded(Sent message) {
        return handed(message).stream().mapToLong(Handed::started).min().orElse(Long.MAX_VALUE);
    }

    private long firstTaken(Sent message) {
        return handed(message).stream()
                .filter(each -> each.end().isTaken())
                .mapToLong(Handed::ended)
                .min()
                .orElse(Long.MAX_VALUE);
    }

    private void checkRepetitions() {
        for (List<Handed> deliveries : byText.values()) {
            for (int i = 0; i + 1 < deliveries.size(); i++) {
                Handed first = deliveries.get(i);
                Handed again = deliveries.get(i + 1);
                if (first.end() != Handed.End.TAKEN) {
                    continue;
                }
                duplicates++;
                if (!isExplained(first, again.started())) {
                    offence(Offence.REPEATED, first + ", and again " + again);
                }
            }
        }
    }

    /** Of what the relay published, why the next one could not know. */
    private boolean isExplained(Handed first, long again) {
        return story.troubles().stream().anyMatch(trouble -> trouble.explains(first.relay(), first.started(), again))
                || Story.anyBetween(
                        story.storeErrors().getOrDefault(first.relay(), List.of()),
                        first.started(),
                        again + NOTICED_LATE)
                || Story.anyBetween(
                        story.counted().getOrDefault(first.process() + " " + first.id(), List.of()),
                        first.started(),
                        again); // it took too long for the relay
    }

    private void checkHammering() {
        Map<String, List<Long>> tries = new HashMap<>();
        for (Handed each : story.handed()) {
            String key = each.process() + " " + each.id();
            boolean ownFailure = each.end() != Handed.End.TAKEN
                    || Story.anyBetween(
                            story.counted().getOrDefault(key, List.of()), each.started(), each.ended() + LATE);
            if (!ownFailure) {
                tries.computeIfAbsent(key, none -> new ArrayList<>()).add(each.started());
            }
        }
        tries.forEach((key, times) -> {
            int minute = most(times, Duration.ofMinutes(1));
            int hour = most(times, Duration.ofHours(1));
            if (minute > MOST_IN_A_MINUTE || hour > MOST_IN_AN_HOUR) {
                offence(Offence.HAMMERED, key + ": " + minute + " in a minute, " + hour + " in all");
            }
        });
    }

    private static int most(List<Long> times, Duration window) {
        int most = 0;
        int first = 0;
        for (int last = 0; last < times.size(); last++) {
            while (times.get(last) - times.get(first) > window.toNanos()) {
                first++;
            }
            most = Math.max(most, last - first + 1);
        }
        return most;
    }

    /** Something that happened in a partition: a message more to publish or less, or just that it is being looked after. */
    private record Step(long time, int pending, boolean service, long rest) {}

    private void checkEverythingIsServed() {
        Map<String, List<Step>> steps = new HashMap<>();
        Map<String, Long> visible = new HashMap<>();
        story.transactions()
                .values()
                .forEach(each -> each.messages().forEach(m -> visible.put(m.text(), each.ended())));
        for (Sent each : committed) {
            List<Step> partition = steps.computeIfAbsent(each.place(), key -> new ArrayList<>());
            long from = visible.getOrDefault(each.text(), story.end());
            partition.add(new Step(from, 1, false, 0));
            long grave = story.buried().getOrDefault(each.id(), List.of()).stream()
                    .mapToLong(time -> time)
                    .min()
                    .orElse(Long.MAX_VALUE);
            long until = Math.min(firstTaken(each), grave);
            if (until < Long.MAX_VALUE) {
                partition.add(new Step(Math.max(until, from), -1, true, 0));
            }
        }
        for (Handed each : story.handed()) {
            List<Step> partition = steps.computeIfAbsent(each.place(), key -> new ArrayList<>());
            partition.add(new Step(each.started(), 0, true, 0));
            if (each.ended() < Long.MAX_VALUE) {
                boolean delayed = each.end() == Handed.End.FAILED || each.end() == Handed.End.TAKEN_AND_FAILED;
                partition.add(new Step(each.ended(), 0, true, delayed ? 2 * Lane.DELAY.toNanos() : 0));
            }
        }
        steps.forEach(this::checkServed);
    }

    private void checkServed(String place, List<Step> steps) {
        steps.sort(Comparator.comparingLong(Step::time).thenComparing(step -> -step.pending()));
        int pending = 0;
        long since = Long.MIN_VALUE;
        for (Step step : steps) {
            if (step.service() && pending > 0) {
                checkWait(place, since, step.time());
            }
            pending += step.pending();
            if (step.service() || pending == 1 && step.pending() == 1) {
                since = Math.max(since, step.time() + step.rest());
            }
        }
        if (pending > 0) {
            checkWait(place, since, story.end());
        }
    }

    private void checkWait(String place, long since, long until) {
        long from = since;
        String last = "";
        for (Trouble trouble : story.troubles()) {
            if (trouble.begin() < until && trouble.excuses(place) > from) {
                from = Math.min(trouble.excuses(place), until);
                last = trouble.toString();
            }
        }
        long wait = until - from;
        if (wait > slowest) {
            slowest = wait;
            slowestPlace = place + (last.isEmpty() ? "" : " behind " + last);
        }
        if (wait > PATIENCE.toNanos()) {
            offence(
                    Offence.STUCK,
                    place + " for " + Duration.ofNanos(wait).toMillis() + " ms until " + until + ", the last fault was "
                            + last);
        }
    }

    private void checkTheDead() {
        Map<String, Integer> failures = new HashMap<>();
        for (Handed each : story.handed()) {
            if (each.end() != Handed.End.TAKEN) {
                failures.merge(each.id(), 1, Integer::sum);
            }
        }
        for (Sent each : committed) {
            int failed = failures.getOrDefault(each.id(), 0);
            if (dead.contains(each.id()) && (!each.topic().equals(Lane.MORTAL.topic()) || failed < Lane.ATTEMPTS)) {
                offence(Offence.BURIED_ALIVE, each + " after " + failed + " failures");
            }
        }
    }

    private void checkEnds() {
        for (Line line : story.ended()) {
            if (!line.field(2).equals("all")) {
                offence(Offence.LEAKED, line.field(0) + " had lost workers: " + line.field(2));
            }
            if (!line.field(3).isEmpty()) {
                offence(Offence.LEAKED, line.field(0) + " left behind " + line.field(3));
            }
        }
    }

    /** The counts, in a line. */
    @Override
    public String toString() {
        long unknown = story.transactions().values().stream()
                .filter(each -> each.ending() == Story.Ending.UNKNOWN)
                .count();
        StringBuilder line = new StringBuilder("transactions="
                + story.transactions().size() + " committed="
                + there.size() + " unknown=" + unknown + " messages=" + committed.size() + " handed="
                + story.handed().size() + " duplicates=" + duplicates + " dead=" + dead.size() + " faults="
                + story.troubles().size() + " storeErrors="
                + story.storeErrors().values().stream().mapToInt(List::size).sum() + " slowest="
                + slowest().toMillis() + "ms(" + slowestPlace + ")");
        Arrays.stream(Offence.values())
                .forEach(kind -> line.append(' ')
                        .append(kind.name().toLowerCase(java.util.Locale.ROOT))
                        .append('=')
                        .append(count(kind)));
        return line.toString();
    }

    /** The first few offences of each kind. */
    String details() {
        StringBuilder text = new StringBuilder();
        offences.forEach((kind, all) -> {
            text.append(kind).append(": ").append(all.size()).append('\n');
            all.subList(0, Math.min(DETAILS, all.size()))
                    .forEach(each -> text.append("    ").append(each).append('\n'));
        });
        return text.toString();
    }

    /** How often which fault was. */
    Map<String, Integer> faults() {
        Map<String, Integer> times = new TreeMap<>();
        story.troubles().forEach(each -> times.merge(each.name(), 1, Integer::sum));
        return times;
    }
}
