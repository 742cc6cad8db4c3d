/// An optional that is large, or nearly always `nil`: its owner pays for a pointer.
///
/// A value still: a copy that is changed leaves the other as it was. While there is one owner it is
/// changed in place.
@propertyWrapper
package struct Apart<Value> {
    @usableFromInline
    final class Place {
        @usableFromInline var value: Value?

        @inlinable
        init(_ value: Value) { self.value = value }
    }

    @usableFromInline var place: Place?

    @inlinable
    package init(wrappedValue: Value?) {
        self.place = wrappedValue.map(Place.init)
    }

    @inlinable
    package var wrappedValue: Value? {
        get { self.place?.value }
        _modify {
            if self.place != nil, !isKnownUniquelyReferenced(&self.place) {
                self.place = self.place?.value.map(Place.init)
            }
            if let place = self.place {
                yield &place.value
                if place.value == nil { self.place = nil }
            } else {
                var value: Value?
                yield &value
                self.place = value.map(Place.init)
            }
        }
    }
}

extension Apart: @unchecked Sendable where Value: Sendable {}
