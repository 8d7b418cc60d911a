import Sotay

/// The own profile and card, read only.
public typealias ProfileModel = ScreenModel<ProfileView>

extension ScreenModel where Shown == ProfileView {
    public convenience init(_ handbook: Handbook) {
        self.init(handbook, handbook.profileScreen())
    }

    /// "Báo sai thông tin"
    public func requestCorrection(of field: ProfileField, to text: String) async -> Bool {
        await enter { try await $0.requestCorrection(of: field, to: text) }
    }
}
