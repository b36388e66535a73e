package dev.outbox.tck.memory;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import dev.outbox.Capabilities;
import dev.outbox.DeadLetter;
import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.MisuseException;
import dev.outbox.Operations.Backlog;
import dev.outbox.Operations.FailingPartition;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.spi.Outcome;
import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.StoreTck;
import dev.outbox.tck.WriteTransaction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Event;

/** Stores that break the contract, each in one way, are caught, by the rule they break. */
@Isolated("the suite is run in here with other settings")
class BrokenStoresTest {
    private static final Duration LEASE = Duration.ofMillis(500);
    private static final Map<String, Supplier<StoreHarness>> HARNESSES = new HashMap<>();

    /** A broken store, and a test that must fail with the name of the rule. */
    record Broken(String store, String test, String rule) {}

    static Stream<Broken> brokenStores() {
        return Stream.of(
                new Broken("gives held partitions away", "aHeldMessageIsGivenToNobodyElse", "OBX-EXCL-1"),
                new Broken("gives held partitions away", "underContentionNobodySharesAMessage", "OBX-EXCL-1"),
                new Broken("gives held partitions away", "aHeldPartitionIsGivenToNobodyElse", "OBX-ORDER-3"),
                new Broken("shows open transactions", "anOpenTransactionIsNotSeenAndHindersNobody", "OBX-TX-2"),
                new Broken("shows open transactions", "aTransactionThatIsRolledBackLeavesNothing", "OBX-TX-1"),
                new Broken("shows open transactions", "underContentionNothingIsLostOrInvented", "OBX-TX-"),
                new Broken("settles what was released", "whatIsReleasedKeepsItsPlace", "OBX-ORDER-2"),
                new Broken("settles what was released", "underContentionNothingIsLostOrInvented", "OBX-TX-1"),
                new Broken("reads backwards", "aPartitionComesInOrder", "OBX-ORDER-1"),
                new Broken("reads backwards", "underContentionAPartitionStaysInOrder", "OBX-ORDER-1"),
                new Broken("deletes by range", "aMessageCommittedDuringABatchSurvivesItsClose", "OBX-TX-4"),
                new Broken("reads on behind a cursor", "aMessageCommittedLateIsDeliveredLate", "OBX-TX-4"),
                new Broken(
                        "goes back to the start now and then", "whatIsWrittenAfterACommitComesAfterIt", "OBX-ORDER-4"),
                new Broken("ignores delays", "aFailedPartitionWaitsAndThenStartsWithTheFailedMessage", "OBX-RETRY-2"),
                new Broken("counts no attempts", "attemptsAreCountedAndSurvive", "OBX-RETRY-1"),
                new Broken("serves in a fixed order", "partitionsTakeTurns", "OBX-LIMIT-2"),
                new Broken("gives more than the limit", "thereAreNeverMoreThanTheLimit", "OBX-LIMIT-1"),
                new Broken("ignores case in topics", "onlyTheTopicsAskedForCome", "OBX-FILTER-1"),
                new Broken("numbers messages per partition", "anIdIsUniqueAndStays", "OBX-ID-1"),
                new Broken("trims headers", "keysAndHeadersComeBack", "OBX-PAYLOAD-1"),
                new Broken("refuses NUL in reasons", "everyReasonAndPublishIdIsAccepted", "OBX-RETRY-6"),
                new Broken("lets the last delay count", "theLongestDelayCounts", "OBX-RETRY-3"),
                new Broken("waits for held partitions", "aCheckoutDoesNotWaitForABatch", "OBX-EXCL-2"),
                new Broken("redrives without a lock", "twoOperatorsRedriveNothingTwice", "OBX-DEAD-3"),
                new Broken("lists no held messages", "theBacklogCountsWhatWaits", "OBX-OPS-1"),
                new Broken(
                        "forgets failures after their delay",
                        "failingPartitionsAreListedUntilTheirHeadIsSettled",
                        "OBX-OPS-2"),
                new Broken("accepts every mark", "aSecondMarkIsRefusedAndTheFirstStands", "OBX-CLOSE-4"),
                new Broken("accepts every mark", "aMarkAfterCloseIsRefused", "OBX-CLOSE-4"),
                new Broken("is silent about lost holds", "capabilitiesAreDeclaredAndImplemented", "OBX-CAP-1"),
                new Broken("never wakes up", "aCommitWakesListenersUp", "OBX-WAKE-1"),
                new Broken("keeps dead letters in the way", "aDeadLetterLetsItsPartitionGoOn", "OBX-DEAD-1"),
                new Broken("never ends a lease", "aPausedProcessKeepsItsHoldOrKnowsThatItIsLost", "OBX-FENCE-5"),
                new Broken("renews no lease", "aHoldLastsAsLongAsItsBatchIsOpen", "OBX-FENCE-4"),
                new Broken("lets zombies settle", "aPausedProcessKeepsItsHoldOrKnowsThatItIsLost", "OBX-FENCE-5"),
                new Broken("settles at the last mark", "marksOfAKilledProcessHaveNoEffect", "OBX-CLOSE-1"),
                new Broken("is silent about lost holds", "closingALostBatchThrowsAndChangesNothing", "OBX-FENCE-1"));
    }

    @ParameterizedTest
    @MethodSource("brokenStores")
    void isCaught(Broken broken) {
        BrokenTck.harness = requireNonNull(HARNESSES.get(broken.store()), "no store " + broken.store());
        List<String> failures = EngineTestKit.engine("junit-jupiter")
                .selectors(selectMethod(BrokenTck.class, broken.test(), "dev.outbox.tck.TestOutbox"))
                .execute()
                .testEvents()
                .failed()
                .stream()
                .map(BrokenStoresTest::message)
                .toList();
        assertEquals(1, failures.size(), "failures of " + broken.test() + " on a store that " + broken.store());
        assertTrue(
                failures.get(0).contains(broken.rule()) && failures.get(0).contains(" is broken: "),
                "the failure names " + broken.rule() + ": " + failures.get(0));
    }

    private static String message(Event failed) {
        return failed.getRequiredPayload(TestExecutionResult.class)
                .getThrowable()
                .map(Throwable::getMessage)
                .orElse("");
    }

    /** What must happen does not happen here, so there is no use in waiting long for it. */
    @BeforeAll
    static void beImpatient() {
        System.setProperty(StoreTck.PATIENCE, "2");
    }

    @AfterAll
    static void bePatient() {
        System.clearProperty(StoreTck.PATIENCE);
    }

    /** Run in here only: nested, so that it is not found as a test of its own. */
    static class BrokenTck extends StoreTck {
        static Supplier<StoreHarness> harness = MemoryHarness::new;

        @Override
        public StoreHarness harness() {
            return harness.get();
        }
    }

    static {
        brokenOutbox("gives held partitions away", () -> new MemoryOutbox() {
            @Override
            boolean isReady(Partition partition) {
                Hold holder = partition.holder;
                partition.holder = null;
                boolean ready = super.isReady(partition);
                partition.holder = holder;
                return ready;
            }
        });
        brokenOutbox("shows open transactions", () -> new MemoryOutbox() {
            @Override
            synchronized Written write(OutgoingMessage message) {
                Written written = super.write(message);
                commit(List.of(written));
                return written;
            }
        });
        brokenOutbox("settles what was released", () -> new MemoryOutbox() {
            @Override
            synchronized void settle(Hold hold, List<Outcome> outcomes) {
                List<Outcome> all = new ArrayList<>(outcomes);
                Set<String> marked = new HashSet<>();
                outcomes.forEach(outcome -> marked.add(outcome.message().id()));
                for (PersistedMessage message : hold.messages) {
                    if (!marked.contains(message.id())) {
                        all.add(new Outcome.Published(message, null));
                    }
                }
                super.settle(hold, all);
            }
        });
        brokenOutbox("reads backwards", () -> new MemoryOutbox() {
            @Override
            Collection<Long> readable(Partition partition) {
                return partition.messages.descendingKeySet();
            }
        });
        brokenOutbox("deletes by range", () -> new MemoryOutbox() {
            @Override
            void remove(Partition partition, long position) {
                partition.messages.headMap(position, true).clear();
            }
        });
        brokenOutbox("reads on behind a cursor", () -> new MemoryOutbox() {
            private final Map<Partition, Long> cursors = new HashMap<>();

            @Override
            Collection<Long> readable(Partition partition) {
                return partition
                        .messages
                        .tailMap(cursors.getOrDefault(partition, 0L), false)
                        .keySet();
            }

            @Override
            void remove(Partition partition, long position) {
                cursors.merge(partition, position, Math::max);
                super.remove(partition, position);
            }
        });
        brokenOutbox("goes back to the start now and then", () -> new MemoryOutbox() {
            private final Map<Partition, Long> cursors = new HashMap<>();

            @Override
            Collection<Long> readable(Partition partition) {
                Collection<Long> behind = partition
                        .messages
                        .tailMap(cursors.getOrDefault(partition, 0L), false)
                        .keySet();
                return behind.isEmpty() ? partition.messages.keySet() : behind;
            }

            @Override
            void remove(Partition partition, long position) {
                cursors.merge(partition, position, Math::max);
                super.remove(partition, position);
            }
        });
        brokenOutbox("ignores delays", () -> new MemoryOutbox() {
            @Override
            boolean isReady(Partition partition) {
                return partition.holder == null && !partition.messages.isEmpty();
            }
        });
        brokenOutbox("counts no attempts", () -> new MemoryOutbox() {
            @Override
            synchronized void settle(Hold hold, List<Outcome> outcomes) {
                super.settle(
                        hold,
                        outcomes.stream()
                                .filter(outcome -> !(outcome instanceof Outcome.Failed))
                                .toList());
            }
        });
        brokenOutbox("serves in a fixed order", () -> new MemoryOutbox() {
            @Override
            synchronized Hold checkout(Set<String> topics, int limit) {
                Hold hold = super.checkout(topics, limit);
                hold.positions.keySet().forEach(partition -> partition.lastTurn = 0);
                return hold;
            }
        });
        brokenOutbox("never wakes up", () -> new MemoryOutbox() {
            @Override
            void addWakeUp(Runnable wakeUp) {}
        });
        brokenOutbox("keeps dead letters in the way", () -> new MemoryOutbox() {
            @Override
            synchronized void settle(Hold hold, List<Outcome> outcomes) {
                List<Outcome> changed = new ArrayList<>();
                for (Outcome outcome : outcomes) {
                    changed.add(
                            outcome instanceof Outcome.DeadLettered dead
                                    ? new Outcome.Failed(dead.message(), dead.reason(), Duration.ofHours(1))
                                    : outcome);
                }
                super.settle(hold, changed);
            }
        });
        brokenOutbox("gives more than the limit", () -> new MemoryOutbox() {
            @Override
            synchronized Hold checkout(Set<String> topics, int limit) {
                return super.checkout(topics, limit + 1);
            }
        });
        brokenOutbox("ignores case in topics", () -> new MemoryOutbox() {
            @Override
            synchronized Hold checkout(Set<String> topics, int limit) {
                Set<String> more = new HashSet<>(topics);
                topics.forEach(topic -> more.add(topic.toLowerCase(Locale.ROOT)));
                return super.checkout(more, limit);
            }
        });
        brokenOutbox("numbers messages per partition", () -> new MemoryOutbox() {
            private final Map<Integer, Integer> last = new HashMap<>();

            @Override
            synchronized Written write(OutgoingMessage message) {
                int number = last.merge(message.partition(), 1, Integer::sum);
                Written written = super.write(message);
                PersistedMessage m = written.message();
                return new Written(
                        written.position(),
                        new PersistedMessage(
                                message.partition() + "-" + number % 5,
                                m.topic(),
                                m.partition(),
                                m.key(),
                                m.headers(),
                                m.payload(),
                                0,
                                m.createdAt()));
            }
        });
        brokenOutbox("trims headers", () -> new MemoryOutbox() {
            @Override
            synchronized Written write(OutgoingMessage message) {
                Map<String, String> trimmed = new HashMap<>();
                message.headers().forEach((name, value) -> trimmed.put(name, value.strip()));
                return super.write(new OutgoingMessage(
                        message.topic(), message.partition(), message.key(), trimmed, message.payload()));
            }
        });
        brokenOutbox("refuses NUL in reasons", () -> new MemoryOutbox() {
            @Override
            synchronized void settle(Hold hold, List<Outcome> outcomes) {
                for (Outcome outcome : outcomes) {
                    if (outcome instanceof Outcome.Failed failed
                            && failed.reason().indexOf(0) >= 0) {
                        throw new StoreException("invalid byte sequence");
                    }
                }
                super.settle(hold, outcomes);
            }
        });
        brokenOutbox("lets the last delay count", () -> new MemoryOutbox() {
            @Override
            synchronized void settle(Hold hold, List<Outcome> outcomes) {
                Duration last = Duration.ZERO;
                for (Outcome outcome : outcomes) {
                    last = outcome instanceof Outcome.Failed failed ? failed.retryAfter() : last;
                }
                List<Outcome> changed = new ArrayList<>();
                for (Outcome outcome : outcomes) {
                    changed.add(
                            outcome instanceof Outcome.Failed failed
                                    ? new Outcome.Failed(failed.message(), failed.reason(), last)
                                    : outcome);
                }
                super.settle(hold, changed);
            }
        });
        brokenOutbox("waits for held partitions", () -> new MemoryOutbox() {
            private int held;

            @Override
            synchronized Hold checkout(Set<String> topics, int limit) {
                try {
                    while (held > 0) {
                        wait();
                    }
                } catch (InterruptedException e) {
                    throw new StoreException("interrupted", e);
                }
                Hold hold = super.checkout(topics, limit);
                held += hold.messages.isEmpty() ? 0 : 1;
                return hold;
            }

            @Override
            synchronized void release(Hold hold) {
                super.release(hold);
                held = 0;
                notifyAll();
            }
        });
        brokenOutbox("redrives without a lock", () -> new MemoryOutbox() {
            private final Map<String, DeadLetter> seen = new HashMap<>();

            @Override
            synchronized int redrive(Collection<String> ids) {
                // As if each of two operators had read the dead letters before either removed them.
                List<Written> again = new ArrayList<>();
                for (String id : ids) {
                    DeadLetter letter = deadLetter(id).orElse(null);
                    DeadLetter before = letter == null ? seen.remove(id) : seen.put(id, letter);
                    if (letter == null && before != null) {
                        PersistedMessage m = before.message();
                        again.add(new Written(
                                write(new OutgoingMessage(m.topic(), m.partition(), m.key(), m.headers(), m.payload()))
                                        .position(),
                                m));
                    }
                }
                commit(again);
                return super.redrive(ids) + again.size();
            }
        });
        brokenOutbox("lists no held messages", () -> new MemoryOutbox() {
            private final Set<String> held = new HashSet<>();

            @Override
            synchronized Hold checkout(Set<String> topics, int limit) {
                Hold hold = super.checkout(topics, limit);
                hold.messages.forEach(m -> held.add(m.topic() + m.partition()));
                return hold;
            }

            @Override
            synchronized List<Backlog> backlog() {
                return super.backlog().stream()
                        .filter(b -> !held.contains(b.topic() + b.partition()))
                        .toList();
            }
        });
        brokenOutbox("forgets failures after their delay", () -> new MemoryOutbox() {
            @Override
            synchronized List<FailingPartition> failingPartitions() {
                return super.failingPartitions().stream()
                        .filter(f -> f.nextAttempt().isAfter(now()))
                        .toList();
            }
        });
        brokenOutbox("never ends a lease", () -> new MemoryOutbox(LEASE) {
            @Override
            boolean hasRunOut(Hold hold) {
                return false;
            }
        });
        brokenOutbox("renews no lease", () -> new MemoryOutbox(LEASE) {
            @Override
            synchronized boolean renew(Hold hold) {
                return isHeld(hold);
            }
        });
        brokenOutbox("lets zombies settle", () -> new MemoryOutbox(LEASE) {
            @Override
            synchronized boolean isHeld(Hold hold) {
                return true;
            }
        });
        HARNESSES.put("accepts every mark", AcceptsEveryMark::new);
        HARNESSES.put("settles at the last mark", SettlesAtTheLastMark::new);
        HARNESSES.put("is silent about lost holds", SilentAboutLostHolds::new);
    }

    private static void brokenOutbox(String store, Supplier<MemoryOutbox> outboxes) {
        HARNESSES.put(store, () -> new MemoryHarness(outboxes));
    }

    /** Commits before close is called. */
    public static final class SettlesAtTheLastMark extends WithBrokenBatches {
        /** For other processes, too. */
        public SettlesAtTheLastMark() {}

        @Override
        MessageBatch broken(MessageBatch batch) {
            return new ForwardingBatch(batch) {
                private int marked;

                @Override
                public void markPublished(PersistedMessage message, @Nullable String publishId) {
                    super.markPublished(message, publishId);
                    if (++marked == messages().size()) {
                        super.close();
                    }
                }
            };
        }
    }

    /** Takes what it cannot use. */
    public static final class AcceptsEveryMark extends WithBrokenBatches {
        /** For other processes, too. */
        public AcceptsEveryMark() {}

        @Override
        MessageBatch broken(MessageBatch batch) {
            return new ForwardingBatch(batch) {
                @Override
                public void markPublished(PersistedMessage message, @Nullable String publishId) {
                    try {
                        super.markPublished(message, publishId);
                    } catch (MisuseException e) {
                        // let them
                    }
                }
            };
        }
    }

    /** Closes as if nothing had happened. */
    public static final class SilentAboutLostHolds extends WithBrokenBatches {
        /** For other processes, too. */
        public SilentAboutLostHolds() {}

        @Override
        MessageBatch broken(MessageBatch batch) {
            return new ForwardingBatch(batch) {
                @Override
                public void close() {
                    try {
                        super.close();
                    } catch (HoldLostException e) {
                        // nobody need know
                    }
                }
            };
        }
    }

    /** The in-memory store with something wrong in its batches. */
    abstract static class WithBrokenBatches implements StoreHarness {
        private final MemoryHarness harness = new MemoryHarness();

        abstract MessageBatch broken(MessageBatch batch);

        @Override
        public String createOutbox() {
            return harness.createOutbox();
        }

        @Override
        public Store open(String address) throws Exception {
            Store store = harness.open(address);
            return new Store() {
                @Override
                public MessageBatch checkout(Set<String> topics, int limit) {
                    return broken(store.checkout(topics, limit));
                }

                @Override
                public Capabilities capabilities() {
                    return store.capabilities();
                }

                @Override
                public void close() {
                    store.close();
                }
            };
        }

        @Override
        public WriteTransaction begin(String address) throws Exception {
            return harness.begin(address);
        }

        @Override
        public Optional<Duration> lease() {
            return harness.lease();
        }

        @Override
        public void dropOutbox(String address) {
            harness.dropOutbox(address);
        }
    }

    private abstract static class ForwardingBatch implements MessageBatch {
        private final MessageBatch batch;

        ForwardingBatch(MessageBatch batch) {
            this.batch = batch;
        }

        @Override
        public List<PersistedMessage> messages() {
            return batch.messages();
        }

        @Override
        public boolean isHeld() {
            return batch.isHeld();
        }

        @Override
        public void markPublished(PersistedMessage message, @Nullable String publishId) {
            batch.markPublished(message, publishId);
        }

        @Override
        public void markFailed(PersistedMessage message, String reason, Duration retryAfter) {
            batch.markFailed(message, reason, retryAfter);
        }

        @Override
        public void deadLetter(PersistedMessage message, String reason) {
            batch.deadLetter(message, reason);
        }

        @Override
        public void close() {
            batch.close();
        }
    }
}
