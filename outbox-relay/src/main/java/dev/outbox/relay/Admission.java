package dev.outbox.relay;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Decides what a round may do. A message must be published only if its outcome can probably be written, because
 * otherwise it is published again and again. So the results of closes decide. Shared by all rounds of a relay; safe for
 * use by several threads.
 *
 * <p>While closes succeed, every round gets a permit without a limit of its own.
 *
 * <p>After a close failed, one round at a time gets a permit for one message. It is the <em>proof</em> that a close can
 * succeed. All other rounds wait. If the proof fails, too, the pause until the next one grows. After a proof succeeded,
 * the limit doubles with each close, up to half the size of the batch that failed. Beyond that, it doubles only after
 * {@value #PROBATION} closes, because the size may have been the cause.
 *
 * <p>One partition alone can make closes fail, for example because its row is spoilt. If a batch with a single message
 * fails, its partition is a <em>suspect</em>. Batches leave a suspect out, so that it does not make the outcomes of
 * others fail, and the next proof takes another partition if there is one. After a close succeeded, the suspect is
 * tried alone. If it fails again, it is <em>set aside</em>: it is still tried alone, with growing pauses.
 *
 * <p>A permit has an <em>epoch</em>, which counts the failures before it. A batch that was checked out before a failure
 * and closed after it shows nothing about the time after the failure, so its success does not count.
 */
final class Admission {
    private static final int UNLIMITED = Integer.MAX_VALUE;
    private static final int MOST_ASIDE = 1000;
    private static final int MOST_SKIPPED = 100;

    /** Closes that must succeed at the largest good limit before a larger one is tried. */
    private static final int PROBATION = 16;

    /** A proof that takes longer is no longer waited for. Its publisher may hang. */
    private static final long PROOF_HANGS = Duration.ofSeconds(10).toNanos();

    private static final long FIRST_PAUSE = Duration.ofSeconds(1).toNanos();
    private static final long LONGEST_PAUSE = Duration.ofMinutes(5).toNanos();

    /**
     * What a round may do.
     *
     * @param limit how many messages it may ask for: more than {@code most} if partitions are set aside, because their
     *     messages are in the batch and are not used
     * @param most how many messages may get an outcome
     * @param proof whether this round is the proof
     * @param epoch how many closes had failed
     */
    record Permit(int limit, int most, boolean proof, long epoch) {}

    /** A partition that is suspected, or known, to make closes fail. */
    private static final class Aside {
        /** When it may be tried next. */
        long due;

        /** The pause before that; 0 for a suspect. */
        long pause;

        /** When it was tried last. */
        long tried;
    }

    private final Time time;
    private final Map<Partition, Aside> aside = new LinkedHashMap<>();
    private final Backoff backoff = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(10));
    private @Nullable Instant failingSince;
    private long epoch;
    private int limit = UNLIMITED;

    /** Half the size of the smallest batch that failed. Batches up to it are probably good. */
    private int good = UNLIMITED;

    /** Closes that succeeded since the limit was changed. */
    private int successes;

    private @Nullable Permit proving;
    private long provingSince;
    private long nextProof;
    private boolean asideWasLast;

    Admission(Time time) {
        this.time = time;
    }

    /**
     * A permit for a round; null if the round must wait, because another one is the proof or the pause is not over.
     *
     * @param wanted how many messages the round would ask for
     * @param cutShort whether the pause does not count, because a user asked for this round
     */
    @SuppressWarnings("ReferenceEquality")
    synchronized @Nullable Permit ask(int wanted, boolean cutShort) {
        int skipped = Math.min(aside.size(), MOST_SKIPPED);
        if (failingSince == null) {
            int most = Math.min(wanted, limit);
            return new Permit((int) Math.min(wanted, (long) most + skipped), most, false, epoch);
        }
        boolean proofHangs = System.nanoTime() - provingSince > PROOF_HANGS;
        if ((proving != null && !proofHangs) || (!cutShort && time.nanos() - nextProof < 0)) {
            return null;
        }
        provingSince = System.nanoTime();
        proving = new Permit(Math.min(wanted, 1 + skipped), 1, true, epoch);
        return proving;
    }

    /** How long a round waits before it asks again. */
    synchronized Duration pause() {
        long left = Math.max(nextProof - time.nanos(), Duration.ofMillis(50).toNanos());
        return Duration.ofNanos(Math.min(left, Duration.ofSeconds(1).toNanos()));
    }

    /**
     * The partitions of a batch that a round publishes. These are all but those that are set aside. A proof is a single
     * partition, and a suspect only if the batch has no other. A partition that is set aside and due is tried alone. It
     * takes turns with the rest, so that neither waits forever.
     */
    synchronized <L extends PartitionQueue<?>> List<L> choose(Permit permit, List<L> queues) {
        if (queues.isEmpty() || (!permit.proof() && aside.isEmpty())) {
            return queues;
        }
        long now = time.nanos();
        List<L> normal = new ArrayList<>();
        L alone = null;
        long longest = Long.MIN_VALUE;
        for (L queue : queues) {
            Aside known = aside.get(queue.partition);
            if (known == null) {
                normal.add(queue);
            } else if ((permit.proof() || known.due <= now) && now - known.tried > longest) {
                longest = now - known.tried;
                alone = queue;
            }
        }
        if (permit.proof() && !normal.isEmpty()) {
            return List.of(normal.get(0));
        }
        asideWasLast = alone != null && (normal.isEmpty() || !asideWasLast);
        return asideWasLast && alone != null ? List.of(alone) : normal;
    }

    /** Whether a partition is set aside or a suspect. It is then tried with one message. */
    synchronized boolean isAside(Partition partition) {
        return aside.containsKey(partition);
    }

    /** A round ended without a close that shows anything. */
    @SuppressWarnings("ReferenceEquality")
    synchronized void unproven(Permit permit) {
        if (proving == permit) {
            proving = null;
        }
    }

    /** A batch with outcomes was closed. */
    synchronized void succeeded(Permit permit, int wanted, List<? extends PartitionQueue<?>> queues) {
        unproven(permit);
        if (queues.size() == 1 && !aside.isEmpty()) {
            aside.remove(queues.get(0).partition);
        }
        if (permit.epoch() != epoch) {
            return;
        }
        failingSince = null;
        backoff.reset();
        if (limit == UNLIMITED) {
            return;
        }
        successes++;
        if (2L * limit > good) {
            if (successes < PROBATION) {
                return;
            }
            good = (int) Math.min(UNLIMITED, 2L * good);
        }
        successes = 0;
        limit = (int) Math.min(UNLIMITED, 2L * limit);
        if (limit >= wanted) {
            limit = UNLIMITED;
            good = UNLIMITED;
        }
    }

    /**
     * A batch could not be closed.
     *
     * @return the first pause of a partition that this sets aside; null if it sets none aside
     */
    synchronized @Nullable Duration failed(Permit permit, List<? extends PartitionQueue<?>> queues, int outcomes) {
        unproven(permit);
        long now = time.nanos();
        Aside known = queues.size() == 1 ? aside.get(queues.get(0).partition) : null;
        if (known != null && !permit.proof()) { // batches of other partitions can be closed
            boolean first = known.pause == 0;
            known.pause = first ? FIRST_PAUSE : Math.min(LONGEST_PAUSE, 2 * known.pause);
            known.due = now + known.pause;
            known.tried = now;
            good = UNLIMITED; // it was not the size
            return first ? Duration.ofNanos(known.pause) : null;
        }
        if (queues.size() == 1 && outcomes == 1 && (known != null || aside.size() < MOST_ASIDE)) {
            Aside suspect = aside.computeIfAbsent(queues.get(0).partition, key -> new Aside());
            suspect.tried = now;
            suspect.due = now;
        }
        // One outage fails the batches of all workers. Only a proof tells whether it goes on.
        boolean news = failingSince == null || permit.proof();
        if (failingSince == null) {
            failingSince = Instant.now();
        }
        if (outcomes > 1) {
            good = Math.max(1, Math.min(good, outcomes / 2));
        }
        epoch++;
        limit = 1;
        successes = 0;
        if (news) {
            nextProof = now + backoff.next().toNanos();
        }
        return null;
    }

    synchronized @Nullable Instant failingSince() {
        return failingSince;
    }

    synchronized List<RelayState.SetAside> setAside() {
        long now = time.nanos();
        List<RelayState.SetAside> all = new ArrayList<>();
        aside.forEach((partition, known) -> {
            if (known.pause > 0) {
                all.add(new RelayState.SetAside(
                        partition.topic(), partition.number(), Instant.now().plusNanos(Math.max(0, known.due - now))));
            }
        });
        return all;
    }
}
