// An index of what services look for again and again: outboxes that wait, effects that are due. Those are few, and without
// an index each look reads the whole collection, which has no room in memory when it has grown.
//
// As the library comes, an index that is not unique is written down and not made. This one is in memory, by the first of
// the index's fields, and filled when the database is opened. What it finds is held against the whole query by the library.

package tyrsky.local;

import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.backend.Utils;
import de.bwaldvogel.mongo.bson.Document;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

class Polled extends Index<Object> {
    /** The others' first field is the college, or has a value of its own in each document: they narrow nothing. */
    private static final Set<String> FIELDS = Set.of("outbox_since", "state.status");

    private static final Set<String> THERE = Set.of("$gt", "$gte", "$lt", "$lte");

    /** Of each value the documents, their ids and where they are. */
    private final Map<Object, Map<Object, Object>> positions = new ConcurrentHashMap<>();
    private final String field;

    Polled(String name, List<IndexKey> keys) {
        super(name, keys, true);
        field = keys.get(0).getKey();
    }

    static boolean by(List<IndexKey> keys) {
        return FIELDS.contains(keys.get(0).getKey());
    }

    /** The value, or null of a document that has none. */
    private Object value(Document document) {
        Object value = Utils.getSubdocumentValue(document, field);
        return Missing.isNullOrMissing(value) ? null : value;
    }

    /** Asked for one text, or for any value that is there. */
    @Override
    public boolean canHandle(Document query) {
        Object asked = query.get(field);
        return asked instanceof String || asked instanceof Document each && !each.isEmpty() && THERE.containsAll(each.keySet());
    }

    @Override
    public Iterable<Object> getPositions(Document query) {
        if (query.get(field) instanceof String text) {
            return new ArrayList<>(positions.getOrDefault(text, Map.of()).values());
        }
        List<Object> all = new ArrayList<>();
        positions.values().forEach(each -> all.addAll(each.values()));
        return all;
    }

    @Override
    public void add(Document document, Object position, MongoCollection<Object> collection) {
        Object value = value(document);
        if (value != null) {
            positions.computeIfAbsent(value, each -> new ConcurrentHashMap<>()).put(document.get("_id"), position);
        }
    }

    @Override
    public Object remove(Document document) {
        Object value = value(document);
        Object[] position = {null};
        if (value != null) {
            positions.computeIfPresent(value, (each, those) -> {
                position[0] = those.remove(document.get("_id"));
                return those.isEmpty() ? null : those;
            });
        }
        return position[0];
    }

    @Override
    public void updateInPlace(Document before, Document after, Object position, MongoCollection<Object> collection) {
        remove(before);
        add(after, position, collection);
    }

    @Override
    public Object getPosition(Document document) {
        Object value = value(document);
        return value == null ? null : positions.getOrDefault(value, Map.of()).get(document.get("_id"));
    }

    @Override
    public boolean isUnique() {
        return false;
    }

    @Override
    public boolean isEmpty() {
        return positions.isEmpty();
    }

    @Override
    public long getCount() {
        return positions.values().stream().mapToLong(Map::size).sum();
    }

    @Override
    public long getDataSize() {
        return 0; // of the file
    }

    @Override
    public void checkAdd(Document document, MongoCollection<Object> collection) {}

    @Override
    public void checkUpdate(Document before, Document after, MongoCollection<Object> collection) {}

    @Override
    public void drop() {
        positions.clear();
    }
}
