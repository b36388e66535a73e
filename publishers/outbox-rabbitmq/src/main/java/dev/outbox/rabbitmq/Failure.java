package dev.outbox.rabbitmq;

/** Why everything on a channel has failed, and what that means to each of its messages. */
@FunctionalInterface
interface Failure {
    /**
     * The exception for one message.
     *
     * @param alone whether no other message was on the channel
     */
    Exception of(Pending pending, boolean alone);
}
