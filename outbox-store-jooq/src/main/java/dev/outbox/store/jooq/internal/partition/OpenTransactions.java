package dev.outbox.store.jooq.internal.partition;

import java.util.Set;

/**
 * Who was writing to the outbox at a moment.
 *
 * @param server names the run of the server that was asked: of one run, no name of a transaction comes twice
 * @param drawn the last id that had been drawn before the transactions were looked for; 0 if nobody asked or none was
 * @param transactions names of all transactions, batches left out, that had drawn or might have drawn an id of
 *     outbox_message and had not ended, so that nobody could see yet what became of them
 */
public record OpenTransactions(String server, long drawn, Set<String> transactions) {}
