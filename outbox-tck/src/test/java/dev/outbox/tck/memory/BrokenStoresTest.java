package dev.outbox.tck.memory;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import dev.outbox.Capabilities;
import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
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
import java.util.Map;
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
                new Broken("ignores delays", "aFailedPartitionWaitsAndThenStartsWithTheFailedMessage", "OBX-RETRY-2"),
                new Broken("counts no attempts", "attemptsAreCountedAndSurvive", "OBX-RETRY-1"),
                new Broken("serves in a fixed order", "partitionsTakeTurns", "OBX-LIMIT-2"),
                new Broken("never wakes up", "aCommitWakesListenersUp", "OBX-WAKE-1"),
                new Broken("keeps dead letters in the way", "aDeadLetterLetsItsPartitionGoOn", "OBX-DEAD-1"),
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
