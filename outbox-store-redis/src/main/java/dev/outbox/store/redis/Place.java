package dev.outbox.store.redis;

import java.nio.charset.StandardCharsets;

/**
 * A hash slot's share of an outbox: keys that are always on one server, so that one transaction or script can use them
 * together.
 *
 * <pre>
 * …:ready            sorted set: partitions with messages, by when they may be taken: 0 or the end of a lease or delay
 * …:messages:t#0     stream: the messages of partition 0 of topic t, in the order of their commits
 * …:state:t#0        hash: token, fence and end of the lease; token of the last close; the failing message and its delay
 * …:attempts:t#0     hash: how often messages have failed, by the id of their entry; of failed ones alone
 * …:dead:t           stream: dead letters of topic t, those that died first coming first
 * …:letters          hash: where a dead letter is, by the id of its message
 * </pre>
 *
 * <p>Streams are never deleted, even if they are empty: a new one could give out ids that are lower than before.
 *
 * @param index its number within a spread outbox
 * @param base what all its keys begin with
 */
record Place(int index, String base) {
    byte[] ready() {
        return key("ready");
    }

    byte[] letters() {
        return key("letters");
    }

    byte[] messages(String member) {
        return key("messages:" + member);
    }

    byte[] state(String member) {
        return key("state:" + member);
    }

    byte[] attempts(String member) {
        return key("attempts:" + member);
    }

    byte[] dead(String topic) {
        return key("dead:" + topic);
    }

    byte[] key(String name) {
        return bytes(base + name);
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
