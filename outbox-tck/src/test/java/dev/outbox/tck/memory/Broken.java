package dev.outbox.tck.memory;

import dev.outbox.Store;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * A store that breaks the contract in one way.
 *
 * @param idea what it does wrong; its name, too
 * @param rules those it breaks, all of them and no others
 * @param byChance those that are sometimes broken along with them, depending on how threads run
 * @param reach which tests are run on it
 * @param outbox what is behind its clients
 * @param client a client of it, made from one that keeps the contract
 */
public record Broken(
        String idea,
        Set<String> rules,
        Set<String> byChance,
        Reach reach,
        Supplier<MemoryOutbox> outbox,
        UnaryOperator<Store> client) {
    /** Which tests are run on a store. */
    public enum Reach {
        /** All but those that follow. */
        ONE_PROCESS,
        /** Also those with many threads at a time, whose verdict needs some luck if a store is only a little wrong. */
        THREADS,
        /** All, also those that start and kill processes. */
        PROCESSES
    }

    /** A store whose outbox is broken. */
    static Broken outbox(String idea, Supplier<MemoryOutbox> outbox) {
        return new Broken(idea, Set.of(), Set.of(), Reach.ONE_PROCESS, outbox, store -> store);
    }

    /** A store whose clients are broken, those in other processes, too. */
    static Broken client(String idea, UnaryOperator<Store> client) {
        return new Broken(idea, Set.of(), Set.of(), Reach.ONE_PROCESS, MemoryOutbox::new, client);
    }

    Broken breaks(String... broken) {
        return new Broken(idea, Set.of(broken), byChance, reach, outbox, client);
    }

    Broken byChance(String... broken) {
        return new Broken(idea, rules, Set.of(broken), reach, outbox, client);
    }

    Broken through(Reach further) {
        return new Broken(idea, rules, byChance, further, outbox, client);
    }

    @Override
    public String toString() {
        return idea;
    }
}
