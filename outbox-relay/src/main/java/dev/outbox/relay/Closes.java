package dev.outbox.relay;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Whether batches can be closed, and so whether anything may be published. Shared by all rounds of a relay; safe for use by
 * several threads.
 *
 * <p>After a close that failed, one round at a time proves that one can succeed, with a single message, and all others wait. Once
 * one has, batches grow again: to half of what failed quickly, and beyond it with care, since size may have been the cause.
 *
 * <p>A partition whose single message could not be settled while that of another partition could is <em>set aside</em>: it is
 * left out of batches, whose other messages it would drag along, and tried alone, with growing pauses.
 */
final class Closes {
    private static final int UNLIMITED = Integer.MAX_VALUE;
    private static final int MOST_ASIDE = 1000;
    private static final int MOST_SKIPPED = 100;

    /** How many batches at the limit that is known to be good go well before a larger one is tried. */
    private static final int PROBATION = 16;

    /** After what time a proof is not waited for any more. */
    private static final long PROOF_HANGS = Duration.ofSeconds(10).toNanos();

    private static final long FIRST_PAUSE = Duration.ofSeconds(1).toNanos();
    private static final long LONGEST_PAUSE = Duration.ofMinutes(5).toNanos();

    /**
     * What a round may do.
     *
     * @param limit how many messages it may ask for
     * @param most how many of them it may give an outcome
     */
    record Leave(int limit, int most, boolean proof, long epoch) {}

    /** A partition that is suspected, or known, to make closes fail. */
    private static final class Aside {
        long due;
        long pause;
        long tried;
    }

    private final Time time;
    private final Map<Lane.Key, Aside> aside = new LinkedHashMap<>();
    private final Backoff backoff = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(10));
    private @Nullable Instant failingSince;
    private long epoch;
    private int limit = UNLIMITED;
    private int good = UNLIMITED;
    private int successes;
    private @Nullable Leave proving;
    private long provingSince;
    private long nextProof;
    private boolean asideWasLast;

    Closes(Time time) {
        this.time = time;
    }

    /** Asks for leave to do a round; null if another round is proving, or the pause is not over and is not to be cut short. */
    @SuppressWarnings("ReferenceEquality")
    synchronized @Nullable Leave ask(int wanted, boolean cutShort) {
        int skipped = Math.min(aside.size(), MOST_SKIPPED);
        if (failingSince == null) {
            int most = Math.min(wanted, limit);
            return new Leave((int) Math.min(wanted, (long) most + skipped), most, false, epoch);
        }
        boolean proofHangs = System.nanoTime() - provingSince > PROOF_HANGS; // in a publisher that does not come back
        if ((proving != null && !proofHangs) || (!cutShort && time.nanos() - nextProof < 0)) {
            return null;
        }
        provingSince = System.nanoTime();
        proving = new Leave(Math.min(wanted, 1 + skipped), 1, true, epoch);
        return proving;
    }

    /** How long to wait before it is worth while to ask again. */
    synchronized Duration pause() {
        long left = Math.max(nextProof - time.nanos(), Duration.ofMillis(50).toNanos());
        return Duration.ofNanos(Math.min(left, Duration.ofSeconds(1).toNanos()));
    }

    /**
     * Which lanes of a batch a round takes up: all but those set aside; or a single one, whose turn it is to be tried alone or to
     * be the proof.
     */
    synchronized <L extends Lane<?>> List<L> choose(Leave leave, List<L> lanes) {
        if (lanes.isEmpty() || (!leave.proof() && aside.isEmpty())) {
            return lanes;
        }
        long now = time.nanos();
        List<L> normal = new ArrayList<>();
        L alone = null;
        long longest = Long.MIN_VALUE;
        for (L lane : lanes) {
            Aside known = aside.get(lane.key);
            if (known == null) {
                normal.add(lane);
            } else if ((leave.proof() || known.due <= now) && now - known.tried > longest) {
                longest = now - known.tried;
                alone = lane;
            }
        }
        if (leave.proof() && !normal.isEmpty()) {
            return List.of(normal.get(0));
        }
        asideWasLast = alone != null && (normal.isEmpty() || !asideWasLast);
        return asideWasLast && alone != null ? List.of(alone) : normal;
    }

    /** Whether a lane that a round has chosen is set aside, and so is tried with one message. */
    synchronized boolean isAside(Lane.Key key) {
        return aside.containsKey(key);
    }

    /** A round ended without a close that says anything. */
    @SuppressWarnings("ReferenceEquality")
    synchronized void unproven(Leave leave) {
        if (proving == leave) {
            proving = null;
        }
    }

    /** A batch with outcomes was closed. */
    synchronized void succeeded(Leave leave, int wanted, List<? extends Lane<?>> lanes) {
        unproven(leave);
        if (lanes.size() == 1 && !aside.isEmpty()) {
            aside.remove(lanes.get(0).key);
        }
        if (leave.epoch() != epoch) {
            return; // it began before the failure, and proves nothing about what came after
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

    /** A batch could not be closed; says how long a partition is set aside by it, or null if none is, or not only now. */
    synchronized @Nullable Duration failed(Leave leave, List<? extends Lane<?>> lanes, int outcomes) {
        unproven(leave);
        long now = time.nanos();
        Aside known = lanes.size() == 1 ? aside.get(lanes.get(0).key) : null;
        if (known != null && !leave.proof()) { // others can be closed
            boolean first = known.pause == 0;
            known.pause = first ? FIRST_PAUSE : Math.min(LONGEST_PAUSE, 2 * known.pause);
            known.due = now + known.pause;
            known.tried = now;
            good = UNLIMITED; // it was not the size
            return first ? Duration.ofNanos(known.pause) : null;
        }
        if (lanes.size() == 1 && outcomes == 1 && (known != null || aside.size() < MOST_ASIDE)) {
            Aside suspect = aside.computeIfAbsent(lanes.get(0).key, key -> new Aside());
            suspect.tried = now;
            suspect.due = now;
        }
        if (failingSince == null) {
            failingSince = Instant.now();
        }
        if (outcomes > 1) {
            good = Math.max(1, Math.min(good, outcomes / 2));
        }
        epoch++;
        limit = 1;
        successes = 0;
        nextProof = now + backoff.next().toNanos();
        return null;
    }

    synchronized @Nullable Instant failingSince() {
        return failingSince;
    }

    synchronized List<RelayState.SetAside> setAside() {
        long now = time.nanos();
        List<RelayState.SetAside> all = new ArrayList<>();
        aside.forEach((key, known) -> {
            if (known.pause > 0) {
                all.add(new RelayState.SetAside(
                        key.topic(), key.partition(), Instant.now().plusNanos(Math.max(0, known.due - now))));
            }
        });
        return all;
    }
}
