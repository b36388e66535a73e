package dev.outbox.tck.memory;

import dev.outbox.Store;
import dev.outbox.store.memory.internal.MemoryState;
import dev.outbox.tck.WriteTransaction;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * A store that breaks the contract in one way.
 *
 * @param idea what it does wrong; its name, too
 * @param rules those it breaks, all of them and no others
 * @param also which tests are run on it beside those that all stores undergo
 * @param outbox what is behind its clients
 * @param client a client of it, made from one that keeps the contract
 * @param writing how its messages get into a transaction
 */
public record Broken(
        String idea,
        Set<String> rules,
        Set<Also> also,
        Supplier<MemoryState> outbox,
        UnaryOperator<Store> client,
        Writing writing) {
    /** What persist does with a transaction of the application. */
    interface Writing {
        /** Makes one of the store from one that keeps the contract; the other begins more of those. */
        WriteTransaction begin(WriteTransaction transaction, Callable<WriteTransaction> another);
    }

    /** Tests that are slow, or whose verdict on a store that is only a little wrong is left to chance. */
    public enum Also {
        /** Many threads at a time. */
        THREADS,
        /** Every number, one after the other. */
        SWEEPS,
        /** Processes that are paused. */
        PAUSES,
        /** Processes that are killed. */
        KILLS,
        /** A network with faults. */
        FAULTS,
        /** A server that dies. */
        CRASHES,
        /** A server that dies while many threads are at work. */
        CRASHES_UNDER_LOAD,
        /** A server whose copy takes its place. */
        FAILOVERS
    }

    private static final Writing PLAIN = (transaction, another) -> transaction;

    /** A store whose transactions are broken, those in other processes, too. */
    static Broken writing(String idea, Writing writing) {
        return new Broken(idea, Set.of(), Set.of(), MemoryState::new, store -> store, writing);
    }

    /** A store whose outbox is broken. */
    static Broken outbox(String idea, Supplier<MemoryState> outbox) {
        return new Broken(idea, Set.of(), Set.of(), outbox, store -> store, PLAIN);
    }

    /** A store whose clients are broken, those in other processes, too. */
    static Broken client(String idea, UnaryOperator<Store> client) {
        return client(idea, MemoryState::new, client);
    }

    static Broken client(String idea, Supplier<MemoryState> outbox, UnaryOperator<Store> client) {
        return new Broken(idea, Set.of(), Set.of(), outbox, client, PLAIN);
    }

    Broken breaks(String... broken) {
        return new Broken(idea, Set.of(broken), also, outbox, client, writing);
    }

    Broken testedFor(Also... tests) {
        return new Broken(idea, rules, Set.of(tests), outbox, client, writing);
    }

    @Override
    public String toString() {
        return idea;
    }
}
