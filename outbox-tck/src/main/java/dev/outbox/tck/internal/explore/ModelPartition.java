package dev.outbox.tck.internal.explore;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What the model knows of a partition. */
final class ModelPartition {
    /** Whether it has to be listed as failing. */
    enum Failing {
        NO,
        MAYBE,
        YES
    }

    /** For how long a client may keep partitions that it just gave back, for its own next checkout. */
    private static final long MOMENT = TimeUnit.MILLISECONDS.toNanos(100);

    final String topic;
    final int number;

    /** Messages that are committed and not settled. */
    final List<ModelMessage> pending = new ArrayList<>();

    /** Those of them that a batch had, in the order of their positions. */
    List<ModelMessage> inOrder = new ArrayList<>();

    @Nullable
    ModelBatch holder;

    /** Before this time nobody may get it, and from that time on it is ready, by {@link System#nanoTime}. */
    long notBefore = System.nanoTime();

    long readyFrom = notBefore;

    /** Until when it may still be held by a client that was closed. */
    long mayBeHeldUntil = notBefore;

    /** The client that held it last, and until when. It may keep the partition for a moment, for its next checkout. */
    String lastAsker = "";

    long releasedAt = notBefore - MOMENT;

    /** Why it is to be had; the rule that is broken if it is not. */
    String why = "OBX-TX-3";

    Failing failing = Failing.NO;

    @Nullable
    ModelMessage failingMessage;

    /** Whether the message failed for the reason that is listed, and not one before it. */
    boolean isReasonOfMessage;

    /** The latest that was handed out, by when it was written. */
    long handedOut;

    /** For everybody who asks, how long it has had no place. */
    final Map<String, Waits> passedOver = new HashMap<>();

    /**
     * How long it has been passed over.
     *
     * @param rounds in how many rounds of all ready partitions
     * @param since by {@link System#nanoTime}
     */
    record Waits(double rounds, long since) {
        Waits plus(double more) {
            return new Waits(rounds + more, since);
        }
    }

    ModelPartition(String topic, int number) {
        this.topic = topic;
        this.number = number;
    }

    /** What has to be in a batch that has it, if there is room. */
    List<ModelMessage> due(long now) {
        return pending.stream().filter(message -> message.isDue(now)).toList();
    }

    /** Whether a checkout that is called now has to find it. */
    boolean isReady(String asker, long now) {
        return holder == null
                && now - readyFrom >= 0
                && now - mayBeHeldUntil >= 0
                && !mayBeKeptFrom(asker, now)
                && pending.stream().anyMatch(message -> message.isDue(now));
    }

    /**
     * The first of its messages that are waiting, by their positions.
     *
     * @return null if it is not known which they are, because transactions overlapped
     */
    @Nullable
    Set<ModelMessage> first(int count) {
        Map<ModelMessage, Integer> places = places();
        Map<ModelMessage, Integer> earlier = new HashMap<>();
        for (ModelMessage each : pending) {
            int before = 0;
            for (ModelMessage other : pending) {
                before += isBefore(other, each, places) ? 1 : 0;
            }
            earlier.put(each, before);
        }
        List<ModelMessage> sorted = new ArrayList<>(pending);
        sorted.sort(Comparator.comparing(earlier::get));
        for (ModelMessage out : sorted.subList(count, sorted.size())) {
            for (ModelMessage in : sorted.subList(0, count)) {
                if (!isBefore(in, out, places)) {
                    return null;
                }
            }
        }
        return new LinkedHashSet<>(sorted.subList(0, count));
    }

    /** Whether each of these is known to have a position before that of the next. */
    boolean isInOrder(Collection<ModelMessage> these) {
        Map<ModelMessage, Integer> places = places();
        ModelMessage last = null;
        for (ModelMessage each : these) {
            if (last != null && !isBefore(last, each, places)) {
                return false;
            }
            last = each;
        }
        return true;
    }

    private Map<ModelMessage, Integer> places() {
        Map<ModelMessage, Integer> places = new HashMap<>();
        inOrder.forEach(each -> places.put(each, places.size()));
        return places;
    }

    private static boolean isBefore(ModelMessage one, ModelMessage other, Map<ModelMessage, Integer> places) {
        Integer place = places.get(one);
        Integer otherPlace = places.get(other);
        return place != null && otherPlace != null ? place < otherPlace : one.isSurelyBefore(other);
    }

    long keptUntil() {
        return releasedAt + MOMENT;
    }

    boolean mayBeKeptFrom(String asker, long now) {
        return !lastAsker.equals(asker) && now - releasedAt < MOMENT;
    }

    @Override
    public String toString() {
        return topic + "/" + number;
    }
}
